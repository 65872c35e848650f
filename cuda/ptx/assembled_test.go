package ptx

import "testing"

// TestRegisters: every kernel of the catalogue is in the table, and a chip
// between two columns takes the older one's.
func TestRegisters(t *testing.T) {
	chips, _ := registerTable()
	if len(chips) != len(architectures) {
		t.Fatalf("columns %v, want %v", chips, architectures)
	}
	for _, k := range All() {
		if n := Registers(k.Name, 90); n < 8 || n > 255 {
			t.Errorf("%s: %d registers", k.Name, n)
		}
	}
	if a, b, c := Registers("fill_f32", 80), Registers("fill_f32", 87), Registers("fill_f32", 103); a != 8 || b != 8 || c != 10 {
		t.Errorf("fill_f32: %d, %d, %d", a, b, c)
	}
	if n := Registers("no such entry", 90) + Registers("fill_f32", 75); n != 0 {
		t.Errorf("unlisted: %d", n)
	}
}
