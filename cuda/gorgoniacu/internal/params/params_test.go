package params

import (
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/cuda/ptx"
)

func TestEntries(t *testing.T) {
	got := Entries(`
// .visible .entry not_this(.param .u64 x)
.visible .entry a(
    .param .u32 n, // a count
    .param .u64 p, /* .param .u64 q, */
    .param .f32 s,
    .param .u8 b,
    .param .f64 d)
.maxntid 32 { }
.visible .entry none() { }`)
	if want := []Param{{0, 4}, {8, 8}, {16, 4}, {20, 1}, {24, 8}}; len(got) != 2 || !slices.Equal(got["a"], want) || len(got["none"]) != 0 {
		t.Errorf("%v", got)
	}
}

// TestCatalogue: the form of every kernel's list is one that Entries reads.
func TestCatalogue(t *testing.T) {
	for _, k := range ptx.All() {
		if len(Entries(ptx.Text(k.File))[k.Name]) == 0 {
			t.Errorf("%s: no parameters found for %s", k.File, k.Name)
		}
	}
}
