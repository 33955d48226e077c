package parse

import "strings"

// An origin is what the name of a container's log file tells, for the path that was asked for last.
type origin struct {
	path       string
	container  string // name of the container; "" when the path tells none
	attributes []attributeOfPath
}

type attributeOfPath struct{ key, value string }

// of looks at path:
//
//	…/pods/NAMESPACE_POD_UID/CONTAINER/0.log           where the kubelet has the runtime write
//	…/containers/POD_NAMESPACE_CONTAINER-ID.log        the link to it
//	…/containers/ID/ID-json.log                        docker
//
// Rotated files have more behind .log.
func (o *origin) of(path string) {
	if path == o.path {
		return
	}
	o.path, o.container, o.attributes = path, "", o.attributes[:0]
	folder, file := cutLast(path, "/")
	name, _, isLog := strings.Cut(file, ".log")
	if !isLog {
		return
	}
	above, parent := cutLast(folder, "/")
	above, grandparent := cutLast(above, "/")
	if id, isDocker := strings.CutSuffix(name, "-json"); isDocker && isContainerID(id) {
		o.add("container_id", id)
		return
	}
	if namespace, pod, ok := cutTwo(grandparent, "_"); ok && strings.HasSuffix(above, "pods") {
		pod, _, _ = strings.Cut(pod, "_")
		o.pod(namespace, pod, parent)
		return
	}
	pod, rest, _ := strings.Cut(name, "_")
	namespace, rest, _ := strings.Cut(rest, "_")
	if container, id := cutLast(rest, "-"); isContainerID(id) {
		o.pod(namespace, pod, container)
		if o.container != "" {
			o.add("container_id", id)
		}
	}
}

// pod sets what a path of Kubernetes tells, unless one of it can be no name of Kubernetes.
func (o *origin) pod(namespace, pod, container string) {
	if isKubernetesName(namespace) && isKubernetesName(pod) && isKubernetesName(container) {
		o.container = container
		o.add("namespace", namespace)
		o.add("pod", pod)
		o.add("container", container)
	}
}

func (o *origin) add(key, value string) {
	o.attributes = append(o.attributes, attributeOfPath{key, value})
}

func cutLast(s, separator string) (before, after string) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+len(separator):]
}

// cutTwo cuts s at the first separator and requires another one behind it.
func cutTwo(s, separator string) (first, rest string, ok bool) {
	first, rest, _ = strings.Cut(s, separator)
	return first, rest, strings.Contains(rest, separator)
}

// isKubernetesName reports whether s may be a name: such have no character that JSON would escape.
func isKubernetesName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && c-'0' > 9 && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

func isContainerID(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 64
}
