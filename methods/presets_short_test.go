package methods

import (
	"strings"
	"testing"
)

// TestShortPresets: on 5,000 images they are three epochs of batches of 64, with
// PCL's prototypes and SwAV's queue from the second epoch on, when SwAV's
// prototypes are set free; nothing is chosen by a rule but PCL's clusterings.
func TestShortPresets(t *testing.T) {
	for _, method := range MethodNames {
		c, err := Preset(method, "cifar-short")
		if err != nil {
			t.Fatal(err)
		}
		full, rules := c.Automatic(5000)
		if c.Batch() != 64 || c.Epochs != 3 || c.Crops()[0].Size != 32 || full.Optimizer.Rate != c.Optimizer.Rate {
			t.Errorf("%s: batch %d, %d epochs, %+v", method, c.Batch(), c.Epochs, full.Optimizer)
		}
		for _, r := range rules {
			if method != "pcl" || strings.Contains(r, "rate") || strings.Contains(r, "queue") {
				t.Errorf("%s: %s", method, r)
			}
		}
		full.PCL.Images = 5000
		if err := full.validate(); err != nil {
			t.Error(err)
		}
		if p := full.PCL; method == "pcl" && (p.Warmup != 1 || len(p.Clusters) != 3 || p.Queue != 256) {
			t.Errorf("%+v", p)
		}
		if s := full.SwAV; method == "swav" && (s.QueueStart != 1 || full.FreezeShare*3 != 1 || s.Prototypes > s.Batch+s.Queue || len(s.Warnings()) > 0) {
			t.Errorf("%+v, %q", s, s.Warnings())
		}
	}
}
