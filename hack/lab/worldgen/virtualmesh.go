package worldgen

// addVirtualMesh groups all meshes.
func (g *generator) addVirtualMesh() {
	spec := object{
		"meshes":     g.meshes(g.world.Clusters...),
		"mtlsConfig": object{"shared": object{"rootCertificateAuthority": object{"generated": object{}}}, "autoRestartPods": true},
		"federation": g.federation(),
	}
	if access := pick(g.dice, "", "MESH_DEFAULT", "DISABLED", "ENABLED", "ENABLED"); access != "" {
		spec["globalAccessPolicy"] = access
	}
	g.add("VirtualMesh", "lab", spec)
}

func (g *generator) meshes(clusters ...Cluster) list {
	var refs list
	for _, c := range clusters {
		refs = append(refs, object{"name": c.Mesh(), "namespace": ManagementNamespace})
	}
	return refs
}

func (g *generator) federation() object {
	federation := object{}
	switch g.IntN(4) {
	case 0:
		federation["permissive"] = object{}
	case 1, 2:
		federation["selectors"] = list{object{}}
	case 3:
		selectors := list{object{"destinationSelectors": list{object{"kubeServiceMatcher": object{"namespaces": texts("shop")}}}}}
		second := object{"destinationSelectors": list{object{"kubeServiceMatcher": object{"labels": object{"tier": "back"}}}}}
		if g.chance(2) {
			second["meshes"] = g.meshes(g.world.Clusters[0])
		}
		federation["selectors"] = append(selectors, second)
	}
	if g.world.Flat {
		federation["flatNetwork"] = true
	}
	if suffix := pick(g.dice, "", "", "global", "mesh.example"); suffix != "" {
		federation["hostnameSuffix"] = suffix
	}
	if mode := pick(g.dice, "", "UNSET", "PERMISSIVE", "STRICT", "STRICT"); mode != "" {
		federation["tlsEnforcementSettings"] = object{"enforcementMode": mode}
	}
	if g.chance(5) {
		federation["tcpKeepalive"] = object{"probes": 3, "time": "30s", "interval": "5s"}
	}
	if !g.world.Flat && g.chance(5) {
		federation["ingressGatewaySelectors"] = list{object{
			"destinationSelectors": list{object{"kubeServiceMatcher": object{"labels": object{"istio": "ingressgateway"}}}},
			"portName":             "tls",
		}}
	}
	return federation
}
