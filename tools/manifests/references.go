package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

// documents parts a file of YAML.
func documents(text []byte) [][]byte {
	return bytes.Split(text, []byte("\n---\n"))
}

// references fails unless pods name secrets, config maps, volumes and ports that are there, and a selector selects its pods.
func references(objects []object) error {
	var names []string
	for _, o := range objects {
		names = append(names, o.name)
	}
	var errs []error
	pods := 0
	for _, o := range objects {
		switch typed := o.typed.(type) {
		case *apps.DaemonSet:
			pods++
			for key, value := range typed.Spec.Selector.MatchLabels {
				if typed.Spec.Template.Labels[key] != value {
					errs = append(errs, fmt.Errorf("%s selects other pods than its own", o.name))
				}
			}
			errs = append(errs, podReferences(o.name, typed.Namespace, &typed.Spec.Template.Spec, names))
		case *batch.Job:
			pods++
			errs = append(errs, podReferences(o.name, typed.Namespace, &typed.Spec.Template.Spec, names))
		}
	}
	if pods == 0 {
		errs = append(errs, errors.New("no object makes pods"))
	}
	return errors.Join(errs...)
}

func podReferences(name, namespace string, pod *core.PodSpec, names []string) error {
	var errs []error
	require := func(kind, to string) {
		if !slices.Contains(names, kind+"/"+namespace+"/"+to) {
			errs = append(errs, fmt.Errorf("%s: there is no %s %s", name, kind, to))
		}
	}
	var volumes []string
	for _, volume := range pod.Volumes {
		volumes = append(volumes, volume.Name)
		if volume.ConfigMap != nil {
			require("ConfigMap", volume.ConfigMap.Name)
		}
	}
	for _, container := range pod.Containers {
		for _, from := range container.EnvFrom {
			if from.SecretRef != nil {
				require("Secret", from.SecretRef.Name)
			}
		}
		var ports []string
		for _, port := range container.Ports {
			ports = append(ports, port.Name)
		}
		for _, mount := range container.VolumeMounts {
			if !slices.Contains(volumes, mount.Name) || !mount.ReadOnly {
				errs = append(errs, fmt.Errorf("%s: the mount %s has no volume, or may be written to", name, mount.Name))
			}
		}
		for _, probe := range []*core.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
			if probe != nil && probe.HTTPGet != nil && !slices.Contains(ports, probe.HTTPGet.Port.StrVal) {
				errs = append(errs, fmt.Errorf("%s: a probe asks port %s, which has no such name", name, probe.HTTPGet.Port.String()))
			}
		}
	}
	return errors.Join(errs...)
}
