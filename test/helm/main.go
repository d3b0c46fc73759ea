// Prints what Helm itself makes of a chart: `helm-render CHART VALUES`. The notes are left out.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	chart, err := loader.Load(os.Args[1])
	check(err)
	values, err := chartutil.ReadValuesFile(os.Args[2])
	check(err)
	options := chartutil.ReleaseOptions{Name: "virtfn", Namespace: "default", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, options, chartutil.DefaultCapabilities)
	check(err)
	files, err := engine.Render(chart, all)
	check(err)
	names := []string{}
	for name := range files {
		if filepath.Base(name) != "NOTES.txt" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("---\n%s\n", files[name])
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
