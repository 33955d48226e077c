// Command manifests reads the manifests of Kubernetes and the Compose file as strictly as whoever applies them: unknown fields, fields
// given twice and values of a wrong kind are errors, and so is a reference to what is not there.
//
//	manifests DEPLOY-FOLDER
//
// It is a module of its own, so that logflume does not depend on Kubernetes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manifests DEPLOY-FOLDER")
		os.Exit(2)
	}
	deploy := os.Args[1]
	err := errors.Join(
		checkKubernetes(filepath.Join(deploy, "kubernetes")),
		checkCompose(context.Background(), filepath.Join(deploy, "compose.yaml")))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
