//go:build tools

// Keeps the programs that the tests build beside interop in go.mod.
package main

import _ "github.com/transparency-dev/tessera/cmd/fsck"
