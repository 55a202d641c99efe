// Renders kustomizations and has each object pass what the API server would have it pass: strict
// decoding, defaults, its own validation and warnings, and the pod security level of its namespace.
// Then what no API server looks at: that what objects name of one another is there.
//
// Usage: k8s-schema DIRECTORY...
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: k8s-schema DIRECTORY...")
		os.Exit(64)
	}
	failed := false
	for _, directory := range os.Args[1:] {
		count, err := check(directory)
		if err != nil {
			failed = true
			fmt.Fprintf(os.Stderr, "%s:\n%v\n", directory, err)
			continue
		}
		fmt.Printf("%s: %d objects are valid for Kubernetes %s\n", directory, count, version())
	}
	if failed {
		os.Exit(1)
	}
}

// check gives the number of objects of a kustomization, or everything that is wrong with them.
func check(directory string) (int, error) {
	// As `kubectl apply -k` does it, which is the same code.
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).
		Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		return 0, err
	}
	var problems []error
	var objects []object
	for _, resource := range rendered.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return 0, err
		}
		object, err := decode(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("  %s: %w", resource.CurId(), err))
			continue
		}
		objects = append(objects, object)
	}
	all := newSet(objects)
	for _, object := range objects {
		for _, problem := range append(admit(object, all), references(object, all)...) {
			problems = append(problems, fmt.Errorf("  %s: %w", object, problem))
		}
	}
	return len(objects), errors.Join(problems...)
}

// version is that of the Kubernetes whose code this is.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "k8s.io/kubernetes" {
				return module.Version
			}
		}
	}
	return "(unknown)"
}
