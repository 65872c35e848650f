package dist_test

import (
	"fmt"

	"github.com/sectile-ml/sectile/dist"
)

// Three ranks each hold a share of a batch; all learn the mean loss.
func ExampleRun() {
	shares := [][]float64{{4, 6}, {5}, {1, 2, 6}}
	err := dist.Run(len(shares), func(g dist.Group) error {
		total := []float64{0, 0} // sum, count
		for _, loss := range shares[g.Rank()] {
			total[0] += loss
			total[1]++
		}
		if err := g.AllReduceSum(total); err != nil {
			return err
		}
		if g.Rank() == 0 {
			fmt.Println(total[0] / total[1])
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// 4
	// <nil>
}
