package worldgen

import (
	"math/rand/v2"
)

// dice makes every random decision of a world.
type dice struct{ *rand.Rand }

func newDice(seed int64) dice {
	return dice{rand.New(rand.NewPCG(uint64(seed), 0x6c6162))}
}

// chance is true once in so many times.
func (d dice) chance(times int) bool { return d.IntN(times) == 0 }

// pick returns one of the values.
func pick[T any](d dice, values ...T) T { return values[d.IntN(len(values))] }

// some returns at least one of the values, in their order.
func some[T any](d dice, values ...T) []T {
	var result []T
	for _, value := range values {
		if d.chance(2) {
			result = append(result, value)
		}
	}
	if len(result) == 0 {
		return []T{pick(d, values...)}
	}
	return result
}
