// Interop reads what Vitrine writes with libraries that nobody here wrote. Optional: test/e2e/test_interop.py
// builds and runs it where Go and these modules are to be had.
//
//	interop log DIR VKEY             golang.org/x/mod: every entry of the log in DIR is in its tree
//	interop proof POLICY PROOF ENTRY torchwood: the offline proof holds for the entry
//	interop policy POLICY            torchwood: the policy can be read
//	interop note NOTE VKEY...        golang.org/x/mod: the note is signed by one of the keys
//
// Prints one line and exits 0 if it holds, 1 with the reason if not, 2 if called wrongly.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder hands out the tiles of a log on disk. It is no cache: nothing is saved.
type folder string

func (f folder) Height() int                     { return torchwood.TileHeight }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		b, err := os.ReadFile(filepath.Join(string(f), torchwood.TilePath(t)))
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func verifiers(vkeys []string) (note.Verifiers, error) {
	var all []note.Verifier
	for _, k := range vkeys {
		v, err := note.NewVerifier(k)
		if err != nil {
			c, cerr := torchwood.NewCosignatureVerifier(k)
			if cerr != nil {
				return nil, err
			}
			v = c
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

func openNote(file string, vkeys []string) (*note.Note, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	known, err := verifiers(vkeys)
	if err != nil {
		return nil, err
	}
	return note.Open(b, known)
}

// The hashes that prove entry n come from tiles that TileHashReader has checked against the root.
func checkBundle(dir string, tree tlog.Tree, hashes tlog.HashReader, n int64) error {
	w := min(tree.N-n*torchwood.TileWidth, torchwood.TileWidth)
	t := tlog.Tile{H: torchwood.TileHeight, L: -1, N: n, W: int(w)}
	rest, err := os.ReadFile(filepath.Join(dir, torchwood.TilePath(t)))
	if err != nil {
		return err
	}
	for i := n * torchwood.TileWidth; i < n*torchwood.TileWidth+w; i++ {
		var entry []byte
		if entry, rest, err = torchwood.ReadTileEntry(rest); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		proof, err := tlog.ProveRecord(tree.N, i, hashes)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, i, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if len(rest) != 0 {
		return fmt.Errorf("bundle %d: %d bytes behind its entries", n, len(rest))
	}
	return nil
}

func checkLog(dir, vkey string) error {
	n, err := openNote(filepath.Join(dir, "checkpoint"), []string{vkey})
	if err != nil {
		return err
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(c.Tree, folder(dir))
	if root, err := tlog.TreeHash(c.N, hashes); err != nil || root != c.Hash {
		return fmt.Errorf("root %v, checkpoint %v: %v", root, c.Hash, err)
	}
	for b := int64(0); b*torchwood.TileWidth < c.N; b++ {
		if err := checkBundle(dir, c.Tree, hashes, b); err != nil {
			return err
		}
	}
	fmt.Printf("log of %d entries, root %v\n", c.N, c.Hash)
	return nil
}

func readPolicy(file string) (torchwood.Policy, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return torchwood.ParsePolicy(b)
}

func checkProof(policyFile, proofFile, entryFile string) error {
	policy, err := readPolicy(policyFile)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(entry), proof); err != nil {
		return err
	}
	head, _, _ := bytes.Cut(proof, []byte("\n\n"))
	fmt.Printf("proof of %d lines holds for %x\n", bytes.Count(head, []byte("\n")), sha256.Sum256(entry))
	return nil
}

func checkNote(file string, vkeys []string) error {
	n, err := openNote(file, vkeys)
	if err != nil {
		return err
	}
	fmt.Printf("%d of the keys signed, %d others\n", len(n.Sigs), len(n.UnverifiedSigs))
	return nil
}

func run(args []string) (known bool, err error) {
	switch {
	case len(args) == 3 && args[0] == "log":
		return true, checkLog(args[1], args[2])
	case len(args) == 4 && args[0] == "proof":
		return true, checkProof(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "policy":
		_, err := readPolicy(args[1])
		return true, err
	case len(args) >= 3 && args[0] == "note":
		return true, checkNote(args[1], args[2:])
	}
	return false, nil
}

func main() {
	known, err := run(os.Args[1:])
	if !known {
		fmt.Fprintln(os.Stderr, "usage: interop log DIR VKEY | proof POLICY PROOF ENTRY | policy POLICY | note NOTE VKEY...")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}
