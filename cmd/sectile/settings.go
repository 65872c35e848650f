package main

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sectile-ml/sectile/methods"
)

// setting is a flag for one number of a method's settings, the one that users
// change most. Its value lies in the flag set until a method is known.
type setting struct {
	name    string
	methods []string // that have it; nil: all
	what    string
	set     func(c *methods.RunConfig, value string) error
}

// count reads a number of things.
func count(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q: want a whole number, at least 0", value)
	}
	return n, nil
}

// counted is a setting that is one number.
func counted(of func(c *methods.RunConfig) *int) func(*methods.RunConfig, string) error {
	return func(c *methods.RunConfig, value string) (err error) {
		*of(c), err = count(value)
		return err
	}
}

func settings() []setting {
	return []setting{
		{"queue", []string{"swav", "moco", "pcl"}, "`number` of embeddings of earlier steps that are kept, a multiple of --batch; moco, pcl: 0 is by rule; swav: 0 is none", counted(queueOf)},
		{"prototypes", []string{"swav"}, "`number` of prototypes; 0: by rule", counted(func(c *methods.RunConfig) *int { return &c.SwAV.Prototypes })},
		{"clusters", []string{"pcl"}, "`numbers` of clusters, one for each clustering, as 50,100,200; 0: by rule", setClusters},
		{"negatives", []string{"pcl"}, "`number` of other prototypes that are drawn beside a batch's own; 0: by rule", setNegatives},
		{"temperature", nil, "`number` that similarities are divided by", setTemperature},
	}
}

func queueOf(c *methods.RunConfig) *int {
	switch c.Method {
	case "moco":
		return &c.MoCo.Queue
	case "pcl":
		return &c.PCL.Queue
	}
	return &c.SwAV.Queue
}

// setClusters chooses the numbers of clusters; a number of negatives that was
// meant for others is chosen anew.
func setClusters(c *methods.RunConfig, value string) error {
	c.PCL.Clusters, c.PCL.Negatives = nil, 0
	if value == "0" {
		return nil
	}
	for _, field := range strings.Split(value, ",") {
		k, err := count(strings.TrimSpace(field))
		if err != nil {
			return err
		}
		c.PCL.Clusters = append(c.PCL.Clusters, k)
	}
	return nil
}

// setNegatives chooses r, and a denominator that draws it.
func setNegatives(c *methods.RunConfig, value string) (err error) {
	if c.PCL.Negatives, err = count(value); err == nil && c.PCL.Denominator == methods.EveryPrototype {
		c.PCL.Denominator = methods.SampledPrototypes
	}
	return err
}

func setTemperature(c *methods.RunConfig, value string) error {
	t, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("%q: want a number above 0", value)
	}
	switch c.Method {
	case "moco":
		c.MoCo.Temperature = t
	case "simclr":
		c.SimCLR.Temperature = t
	case "pcl":
		c.PCL.Temperature = t
	default:
		c.SwAV.Temperature = t
	}
	return nil
}

// defineSettings adds the flags; given gets the values.
func defineSettings(f *flag.FlagSet, given map[string]string) {
	for _, s := range settings() {
		what := s.what + "; default the preset's"
		if s.methods != nil {
			what = strings.Join(s.methods, ", ") + ": " + what
		}
		f.Func(s.name, what, func(value string) error { given[s.name] = value; return nil })
	}
}

// applySettings changes a method's settings as the flags say, in their order
// in settings.
func applySettings(c *methods.RunConfig, given map[string]string) error {
	for _, s := range settings() {
		value, ok := given[s.name]
		if !ok {
			continue
		}
		if s.methods != nil && !slices.Contains(s.methods, c.Method) {
			return fmt.Errorf("--%s is a setting of %s; %s has none", s.name, strings.Join(s.methods, " and "), c.Method)
		}
		if err := s.set(c, value); err != nil {
			return fmt.Errorf("--%s %w", s.name, err)
		}
	}
	return nil
}
