package tensor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// FileError says what is wrong with a file of tensors and what to do about it.
type FileError struct {
	File    string // the path, or the name given for it
	Tensor  string // the tensor concerned; "" for the file as a whole
	Problem string // with the offending value
	Remedy  string
	Err     error // the system's error, if that is the cause
}

// Error is "model.safetensors: tensor "conv1.weight": problem: remedy".
func (e *FileError) Error() string {
	s := e.File + ": "
	if e.Tensor != "" {
		s += fmt.Sprintf("tensor %.200q: ", e.Tensor)
	}
	s += e.Problem
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Unwrap is the system's error.
func (e *FileError) Unwrap() error { return e.Err }

// damaged is the remedy for what no correct program writes.
const damaged = "the file is damaged or was cut short: copy or download it again"

// writes numbers the temporary files of this process.
var writes atomic.Uint64

// WriteFile writes a file so that path holds the old content or all of the
// new, whatever stops the program or the machine: write fills a temporary file
// beside path, which is synced and renamed; then the folder is synced. The
// temporary file is removed on error.
func WriteFile(path string, write func(w io.Writer) error) (err error) {
	tmp := fmt.Sprintf("%s.tmp-%d-%d", path, os.Getpid(), writes.Add(1))
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(tmp)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename last. Windows has no such call and needs none.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
