package judge

import "math"

// falseAlarm is how likely a count is outside of its bounds by chance.
const falseAlarm = 1e-7

// bounds returns the least and the most of n trials of a probability that is
// somewhere between low and high. Each end is exceeded by chance in fewer than
// one of ten million cases.
func bounds(n int, low, high float64) (least, most int) {
	least, most = 0, n
	tail := 0.0
	for k := 0; k <= n; k++ {
		if tail += binomial(n, k, low); tail > falseAlarm {
			least = k
			break
		}
	}
	tail = 0
	for k := n; k >= 0; k-- {
		if tail += binomial(n, k, high); tail > falseAlarm {
			most = k
			break
		}
	}
	return least, most
}

// binomial is the probability of k successes.
func binomial(n, k int, p float64) float64 {
	switch {
	case p <= 0:
		return float64(boolInt(k == 0))
	case p >= 1:
		return float64(boolInt(k == n))
	}
	gamma := func(x int) float64 {
		value, _ := math.Lgamma(float64(x))
		return value
	}
	return math.Exp(gamma(n+1) - gamma(k+1) - gamma(n-k+1) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
