package worldgen

import "fmt"

// addAccessPolicy adds a policy that admits some callers to some Service.
func (g *generator) addAccessPolicy(number int) {
	target := pick(g.dice, g.appServices(false)...)
	if g.chance(12) {
		target = g.services[0] // a gateway
	}
	spec := object{"destinationSelector": g.destinations(target)}
	if sources := g.identities(); sources != nil {
		spec["sourceSelector"] = sources
	}
	if g.chance(3) {
		spec["allowedPaths"] = anyTexts(some(g.dice, "/health", "/api/*", "*.png", "/api/items"))
	}
	if g.chance(3) {
		spec["allowedMethods"] = anyTexts(some(g.dice, "GET", "POST"))
	}
	if len(target.ports) > 0 && g.chance(3) {
		spec["allowedPorts"] = list{pick(g.dice, target.ports...).number}
	}
	g.add("AccessPolicy", fmt.Sprintf("ap-%d", number), spec)
}

func anyTexts(values []string) list { return texts(values...) }
