// Refreshes from a repository by go-tuf, and reads targets: as test/interop/tuf-js/read.js.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

func run(state, metadata, targets string, paths []string) error {
	root, err := os.ReadFile(filepath.Join(state, "root.json"))
	if err != nil {
		return err
	}
	cfg, err := config.New(metadata, root)
	if err != nil {
		return err
	}
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = state, filepath.Join(state, "out")
	cfg.RemoteTargetsURL = targets
	os.MkdirAll(cfg.LocalTargetsDir, 0o755)
	up, err := updater.New(cfg)
	if err != nil {
		return err
	}
	if err := up.Refresh(); err != nil {
		return err
	}
	for _, p := range paths {
		info, err := up.GetTargetInfo(p)
		if err != nil {
			return err
		}
		if _, _, err := up.DownloadTarget(info, "", ""); err != nil {
			return err
		}
		fmt.Println("ok", p)
	}
	return nil
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
