package judge

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// Questions returns up to n questions about a world, the same for the same seed.
// They are spread over everything that tags tell apart: ways, verdicts,
// protocols, ports, policies, settings, and requests inside and outside of each
// match and condition. n of 0 or less returns all that there are.
func Questions(world worldgen.World, descriptions Descriptions, seed int64, n int) ([]Question, error) {
	f, err := readFacts(world)
	if err != nil {
		return nil, err
	}
	c := &candidates{oracle: oracle{f, descriptions}, world: world.Name, seen: map[string]bool{}, failed: map[string]bool{}}
	for _, caller := range descriptions.Items {
		for i := range caller.Outbound {
			if err := c.outbound(caller, &caller.Outbound[i]); err != nil {
				return nil, fmt.Errorf("world %s: %w", world.Name, err)
			}
		}
	}
	questions := c.questions
	if n > 0 && n < len(questions) {
		questions = spread(questions, rand.New(rand.NewPCG(uint64(seed), 0x61736b)), n)
	}
	for i := range questions {
		questions[i].named(world.Name, i+1)
	}
	return questions, nil
}

func (q *Question) named(world string, number int) {
	q.Name = fmt.Sprintf("%s/%d", world, number)
	q.Request.ID = fmt.Sprintf("%s-%d", world, number)
}

// Ask returns the question about one request that somebody wrote down; its host
// is filled in.
func Ask(world worldgen.World, descriptions Descriptions, from WorkloadRef, to Ref, request client.Request) (Question, error) {
	f, err := readFacts(world)
	if err != nil {
		return Question{}, err
	}
	s := f.services[to]
	if s == nil {
		return Question{}, fmt.Errorf("there is no Service %s in world %s", to, world.Name)
	}
	port, found := s.port(request.Port)
	if !found {
		return Question{}, fmt.Errorf("service %s in world %s has no port %d", to, world.Name, request.Port)
	}
	request = cloned(request)
	if request.Method == "" && request.Protocol != client.TCP {
		request.Method = "GET"
		if request.Protocol == client.GRPC {
			request.Method = "POST"
		}
	}
	if request.Path == "" && request.Protocol != client.TCP {
		request.Path = "/"
		if request.Protocol == client.GRPC {
			request.Path = client.DefaultMethod
		}
	}
	o := &oracle{f, descriptions}
	q, err := o.question(from, to, port, request)
	if err != nil {
		return Question{}, err
	}
	q.Request.Host = q.Hostname
	q.named(world.Name, 1)
	return q, nil
}

// spread chooses questions one after another: of those with the tag that was
// asked about least, one at random.
func spread(all []Question, random *rand.Rand, n int) []Question {
	byTag := map[string][]int{}
	for i, q := range all {
		for _, tag := range q.Tags {
			byTag[tag] = append(byTag[tag], i)
		}
	}
	var tags []string
	for tag := range byTag {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	asked := map[string]int{}
	chosen := map[int]bool{}
	for len(chosen) < n {
		var rarest string
		var open []int
		for _, tag := range tags {
			if open != nil && asked[tag] >= asked[rarest] {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(byTag[tag]), func(i int) bool { return chosen[i] })
			if len(left) > 0 {
				rarest, open = tag, left
			}
		}
		i := open[random.IntN(len(open))]
		chosen[i] = true
		for _, tag := range all[i].Tags {
			asked[tag]++
		}
	}
	var result []Question
	for i, q := range all {
		if chosen[i] {
			result = append(result, q)
		}
	}
	return result
}
