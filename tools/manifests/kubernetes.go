package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// kinds are the objects that our manifests may hold.
var kinds = map[string]func() any{
	"v1/Namespace":                       func() any { return &core.Namespace{} },
	"v1/ConfigMap":                       func() any { return &core.ConfigMap{} },
	"v1/Secret":                          func() any { return &core.Secret{} },
	"batch/v1/Job":                       func() any { return &batch.Job{} },
	"apps/v1/DaemonSet":                  func() any { return &apps.DaemonSet{} },
	"networking.k8s.io/v1/NetworkPolicy": func() any { return &networking.NetworkPolicy{} },
}

// An object is one document, decoded.
type object struct {
	name  string // kind/namespace/name
	typed any
}

// checkKubernetes decodes what kustomize makes of a folder, and the example of secrets, and follows the references of pods.
func checkKubernetes(dir string) error {
	options := krusty.MakeDefaultOptions()
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	var errs []error
	var objects []object
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return err
		}
		o, err := decode(text)
		errs, objects = append(errs, err), append(objects, o)
	}
	// kustomize passes over fields given twice: the files themselves are read once more.
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, document := range documents(text) {
			if filepath.Base(path) == "kustomization.yaml" {
				continue
			}
			o, err := decode(document)
			if err != nil {
				err = fmt.Errorf("%s, document %d: %w", path, i+1, err)
			}
			errs, objects = append(errs, err), append(objects, o)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return references(objects)
}

// decode decodes one object strictly.
func decode(text []byte) (object, error) {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Namespace, Name string }
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return object{}, err
	}
	make, known := kinds[head.APIVersion+"/"+head.Kind]
	if !known {
		return object{}, fmt.Errorf("unknown kind %s %s", head.APIVersion, head.Kind)
	}
	o := object{name: head.Kind + "/" + head.Metadata.Namespace + "/" + head.Metadata.Name, typed: make()}
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return object{}, fmt.Errorf("%s: %w", o.name, err)
	}
	// As the API server does: names of fields in the wrong case are unknown ones.
	unknown, err := json.UnmarshalStrict(asJSON, o.typed)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return object{}, fmt.Errorf("%s: %w", o.name, err)
	}
	return o, nil
}
