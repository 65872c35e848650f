package sectile

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sectile-ml/sectile"

// layers are the packages of the library and what each may import directly;
// what that may import it may import too.
var layers = map[string][]string{
	"asm":                 {},
	"kernels":             {"asm"},
	"kernels/kernelstest": {"kernels", "internal/pairwise"},
	"kernels/ladder":      {"asm"},
	"tensor":              {"kernels"},
	"autograd":            {"tensor"},
	"data":                {"tensor"},
	"data/fashionmnist":   {"data"},
	"dist":                {},
	"nn":                  {"autograd", "dist"},
	"methods":             {"nn", "data", "dist"},
	"internal/golden":     {},
	"internal/pairwise":   {},
	"cuda":                {"kernels", "cuda/driver", "cuda/ptx"},
	"cuda/driver":         {},
	"cuda/ptx":            {},
	"cuda/emu":            {"cuda/driver", "cuda/ptx"},
	"dist/mpi":            {"dist"},
	"dist/nccl":           {"dist", "cuda"},
}

// forTests are packages that no other package's code imports, forPrograms
// those that only programs do.
var (
	forTests    = []string{"internal/golden", "kernels/kernelstest", "cuda/emu"}
	forPrograms = []string{"cuda", "dist/mpi", "dist/nccl"}
)

// foreign are the modules of the core and who may import them; programs and
// benchmarks are free.
var foreign = map[string][]string{
	"github.com/klauspost/cpuid/v2": {"asm"},
	"golang.org/x/sys":              {"asm", "kernels", "kernels/kernelstest", "cuda", "cuda/driver", "cuda/emu", "dist/mpi", "dist/nccl"},
	"github.com/ebitengine/purego":  {"cuda", "cuda/driver", "dist/mpi", "dist/nccl"},
	"github.com/google/go-cmp":      {}, // tests
}

// source is a parsed Go file.
type source struct {
	path, folder string // slash-separated, from the root; folder "." is the root
	test         bool
	file         *ast.File
	set          *token.FileSet
	lines        int
}

// program reports whether a file is free to import what programs may.
func (s *source) program() bool {
	return s.file.Name.Name == "main" || strings.HasPrefix(s.folder, "cmd/") || s.folder == "bench" || strings.HasPrefix(s.folder, "bench/")
}

func TestImportsGoOneWay(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.file.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			if err := checkImport(s, p); err != nil {
				t.Errorf("%s: %v", s.path, err)
			}
		}
	}
}

func checkImport(s *source, p string) error {
	own, isOwn := strings.CutPrefix(p, module+"/")
	switch {
	case p == "C":
		return errors.New("cgo")
	case s.test || s.program():
		return nil
	case !isOwn && !strings.Contains(strings.Split(p, "/")[0], "."):
		return nil // standard library
	case !isOwn:
		for m, folders := range foreign {
			if (p == m || strings.HasPrefix(p, m+"/")) && slices.Contains(folders, s.folder) {
				return nil
			}
		}
		return fmt.Errorf("imports %s: not a module of the core, or not for this package", p)
	case slices.Contains(forTests, own):
		return fmt.Errorf("imports %s, which is for tests", own)
	case slices.Contains(forPrograms, own) && !(s.folder == "dist/nccl" && own == "cuda"):
		return fmt.Errorf("imports %s, which is for programs and tests", own)
	}
	if _, ok := layers[s.folder]; !ok {
		return fmt.Errorf("package %s has no place in layers: give it one in layout_test.go", s.folder)
	}
	if !below(s.folder)[own] {
		return fmt.Errorf("imports %s; %s may import %v", own, s.folder, slices.Sorted(maps.Keys(below(s.folder))))
	}
	return nil
}

// below is everything that a package may import, at any depth.
func below(folder string) map[string]bool {
	all := map[string]bool{}
	for _, d := range layers[folder] {
		all[d] = true
		maps.Copy(all, below(d))
	}
	return all
}

// TestRules shows that the rules bite.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		folder, imports string
		test, allowed   bool
	}{
		{"tensor", module + "/kernels", false, true},
		{"methods", module + "/asm", false, true},
		{"kernels", module + "/tensor", false, false},
		{"data", module + "/autograd", false, false},
		{"dist", module + "/tensor", false, false},
		{"methods", module + "/cuda", false, false},
		{"methods", module + "/cuda", true, true},
		{"cmd/sectile", module + "/cuda", false, true},
		{"nn", module + "/dist/mpi", false, false},
		{"nn", module + "/internal/golden", false, false},
		{"nn", module + "/internal/golden", true, true},
		{"nn", "gonum.org/v1/gonum/mat", false, false},
		{"nn", "golang.org/x/sys/unix", false, false},
		{"kernels", "golang.org/x/sys/unix", false, true},
		{"kernels", "golang.org/x/system", false, false},
		{"unheardof", module + "/kernels", false, false},
		{"asm", "C", true, false},
	} {
		s := &source{folder: c.folder, test: c.test, file: &ast.File{Name: ast.NewIdent(path.Base(c.folder))}}
		if err := checkImport(s, c.imports); (err == nil) != c.allowed {
			t.Errorf("%s importing %s: %v", c.folder, c.imports, err)
		}
	}
}

// TestSizes reports what is longer than a reader likes; it never fails.
func TestSizes(t *testing.T) {
	type item struct {
		name  string
		lines int
	}
	const fileLimit, funcLimit, asmLimit = 400, 70, 250
	var long []item
	for _, s := range sources(t) {
		if s.lines > fileLimit {
			long = append(long, item{s.path, s.lines})
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > funcLimit {
				long = append(long, item{s.path + " func " + f.Name.Name, n})
			}
		}
	}
	walk(t, ".s", func(name string) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > asmLimit {
			long = append(long, item{name, n})
		}
	})
	slices.SortFunc(long, func(a, b item) int { return cmp.Or(b.lines-a.lines, cmp.Compare(a.name, b.name)) })
	t.Logf("longer than %d lines (Go file), %d (function), %d (assembly):", fileLimit, funcLimit, asmLimit)
	for _, i := range long {
		t.Logf("%5d %s", i.lines, i.name)
	}
}

// TestStaticApplication builds programs that import only tensor, and all of
// methods: without cgo, static, with cpuid and x/sys as their only foreign
// modules.
func TestStaticApplication(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not in PATH: nothing can be built")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"tensor", "methods"} {
		t.Run(pkg, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			sums, err := os.ReadFile("go.sum")
			if err != nil {
				t.Fatal(err)
			}
			write("go.sum", string(sums))
			write("go.mod", "module app\n\ngo 1.25.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+strconv.Quote(filepath.ToSlash(root))+"\n")
			write("main.go", "package main\n\nimport _ \""+module+"/"+pkg+"\"\n\nfunc main() {}\n")
			run := func(args ...string) string {
				c := exec.Command("go", args...)
				c.Dir = dir
				c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off", "GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false")
				out, err := c.CombinedOutput()
				if err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
				return string(out)
			}
			app := filepath.Join(dir, "app.exe")
			run("build", "-o", app)
			used := strings.Fields(run("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"))
			slices.Sort(used)
			for _, m := range slices.Compact(used) {
				if !slices.Contains([]string{"app", module, "github.com/klauspost/cpuid/v2", "golang.org/x/sys"}, m) {
					t.Errorf("compiles in %s", m)
				}
			}
			checkStatic(t, app)
		})
	}
}

// TestStaticCommand builds the command line with the tag static, which leaves
// out what opens shared libraries.
func TestStaticCommand(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not in PATH: nothing can be built")
	}
	app := filepath.Join(t.TempDir(), "sectile.exe")
	c := exec.Command("go", "build", "-tags", "static", "-buildvcs=false", "-o", app, "./cmd/sectile")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkStatic(t, app)
}

// checkStatic fails when an executable asks for an interpreter or a library.
func checkStatic(t *testing.T, app string) {
	if runtime.GOOS != "linux" {
		t.Logf("%s: only Linux programs are looked into", runtime.GOOS)
		return
	}
	f, err := elf.Open(app)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("asks for a dynamic linker")
		}
	}
	if libs, _ := f.ImportedLibraries(); len(libs) > 0 {
		t.Errorf("needs %v", libs)
	}
}

// sources parses every Go file of the module.
func sources(t *testing.T) []*source {
	var all []*source
	walk(t, ".go", func(name string) {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &source{
			path: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			file: f, set: set, lines: set.Position(f.FileEnd).Line - 1,
		})
	})
	if len(all) == 0 {
		t.Fatal("no sources: the test runs in the module's root")
	}
	return all
}

// walk visits the module's files that end in ext, by slash-separated name.
// Nested modules, testdata and dot-folders are not the module's.
func walk(t *testing.T, ext string, visit func(name string)) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			if path.Ext(name) == ext {
				visit(name)
			}
			return nil
		}
		if name == "." {
			return nil
		}
		_, nested := os.Stat(filepath.Join(name, "go.mod"))
		if nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
