package main

import (
	"fmt"
	"regexp"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// references says what the object names that is not there.
func references(it object, all set) []error {
	namespace := it.meta.GetNamespace()
	switch typed := it.typed.(type) {
	case *appsv1.Deployment:
		return podReferences(namespace, &typed.Spec.Template, all)
	case *appsv1.StatefulSet:
		problems := podReferences(namespace, &typed.Spec.Template, all)
		governing := all.find("Service", namespace, typed.Spec.ServiceName)
		if governing == nil || governing.typed.(*corev1.Service).Spec.ClusterIP != corev1.ClusterIPNone {
			problems = append(problems, missing("headless Service", typed.Spec.ServiceName))
		}
		return problems
	case *corev1.Service:
		return serviceReferences(typed, all)
	case *autoscalingv2.HorizontalPodAutoscaler:
		target := typed.Spec.ScaleTargetRef
		return require(all, target.Kind, namespace, target.Name)
	case *policyv1.PodDisruptionBudget:
		_, problems := matching(namespace, typed.Spec.Selector, all)
		return problems
	case *networkingv1.NetworkPolicy:
		return networkReferences(typed, all)
	}
	return nil
}

// matching gives what the selector selects, which has to be something.
func matching(
	namespace string, selector *metav1.LabelSelector, all set,
) ([]*corev1.PodTemplateSpec, []error) {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, []error{err}
	}
	found := all.selected(namespace, parsed)
	if len(found) == 0 {
		return nil, []error{fmt.Errorf("no pod has the labels %q", parsed)}
	}
	return found, nil
}

func missing(kind, name string) error {
	return fmt.Errorf("%s %q is none of these objects", kind, name)
}

func require(all set, kind, namespace, name string) []error {
	if all.find(kind, namespace, name) == nil {
		return []error{missing(kind, name)}
	}
	return nil
}

func serviceReferences(service *corev1.Service, all set) []error {
	found := all.selected(service.Namespace, labels.SelectorFromSet(service.Spec.Selector))
	if len(found) == 0 {
		return []error{fmt.Errorf("no pod has the labels %v", service.Spec.Selector)}
	}
	var problems []error
	for _, port := range service.Spec.Ports {
		for _, pods := range found {
			if !listens(pods, port.TargetPort) {
				problems = append(problems, noPort(port.TargetPort))
			}
		}
	}
	return problems
}

func noPort(port intstr.IntOrString) error {
	return fmt.Errorf("no container has the port %q", port.String())
}

func listens(pods *corev1.PodTemplateSpec, port intstr.IntOrString) bool {
	for _, container := range pods.Spec.Containers {
		if declares(container, port) {
			return true
		}
	}
	return false
}

func declares(container corev1.Container, port intstr.IntOrString) bool {
	for _, declared := range container.Ports {
		if port.Type == intstr.String && declared.Name == port.StrVal ||
			port.Type == intstr.Int && declared.ContainerPort == port.IntVal {
			return true
		}
	}
	return false
}

func networkReferences(it *networkingv1.NetworkPolicy, all set) []error {
	own, problems := matching(it.Namespace, &it.Spec.PodSelector, all)
	for _, rule := range it.Spec.Ingress {
		for _, peer := range rule.From {
			_, wrong := peers(it.Namespace, peer, all)
			problems = append(problems, wrong...)
		}
		problems = append(problems, anyListens(own, rule.Ports)...)
	}
	for _, rule := range it.Spec.Egress {
		for _, peer := range rule.To {
			found, wrong := peers(it.Namespace, peer, all)
			problems = append(problems, wrong...)
			if found != nil {
				problems = append(problems, anyListens(found, rule.Ports)...)
			}
		}
	}
	return problems
}

// peers are those of this namespace; what is elsewhere is not known here.
func peers(
	namespace string, peer networkingv1.NetworkPolicyPeer, all set,
) ([]*corev1.PodTemplateSpec, []error) {
	if peer.NamespaceSelector != nil || peer.PodSelector == nil {
		return nil, nil
	}
	return matching(namespace, peer.PodSelector, all)
}

func anyListens(pods []*corev1.PodTemplateSpec, ports []networkingv1.NetworkPolicyPort) []error {
	var problems []error
	for _, port := range ports {
		found := false
		for _, template := range pods {
			found = found || port.Port != nil && listens(template, *port.Port)
		}
		if !found && port.Port != nil {
			problems = append(problems, noPort(*port.Port))
		}
	}
	return problems
}

func podReferences(namespace string, pods *corev1.PodTemplateSpec, all set) []error {
	problems := require(all, "ServiceAccount", namespace, pods.Spec.ServiceAccountName)
	for _, volume := range pods.Spec.Volumes {
		switch {
		case volume.ConfigMap != nil:
			problems = append(problems, require(all, "ConfigMap", namespace, volume.ConfigMap.Name)...)
		case volume.Secret != nil:
			problems = append(problems, require(all, "Secret", namespace, volume.Secret.SecretName)...)
		case volume.PersistentVolumeClaim != nil:
			name := volume.PersistentVolumeClaim.ClaimName
			problems = append(problems, require(all, "PersistentVolumeClaim", namespace, name)...)
		}
	}
	for _, container := range pods.Spec.Containers {
		problems = append(problems, containerReferences(namespace, container, all)...)
	}
	return problems
}

func containerReferences(namespace string, container corev1.Container, all set) []error {
	var problems []error
	for _, probe := range []*corev1.Probe{
		container.StartupProbe, container.LivenessProbe, container.ReadinessProbe,
	} {
		switch {
		case probe == nil:
			problems = append(problems, fmt.Errorf("container %q lacks a probe", container.Name))
		case probe.HTTPGet != nil && !declares(container, probe.HTTPGet.Port):
			problems = append(problems, noPort(probe.HTTPGet.Port))
		case probe.TCPSocket != nil && !declares(container, probe.TCPSocket.Port):
			problems = append(problems, noPort(probe.TCPSocket.Port))
		}
	}
	defined := map[string]bool{}
	for _, variable := range container.Env {
		problems = append(problems, expansions(variable.Value, defined)...)
		defined[variable.Name] = true
		if variable.ValueFrom != nil {
			if from := variable.ValueFrom.SecretKeyRef; from != nil {
				problems = append(problems, secretKey(namespace, from, all)...)
			}
		}
	}
	for _, text := range append(container.Command, container.Args...) {
		problems = append(problems, expansions(text, defined)...)
	}
	return problems
}

func secretKey(namespace string, from *corev1.SecretKeySelector, all set) []error {
	found := all.find("Secret", namespace, from.Name)
	if found == nil {
		return []error{missing("Secret", from.Name)}
	}
	if _, there := found.typed.(*corev1.Secret).Data[from.Key]; !there {
		return []error{fmt.Errorf("the Secret %q has no key %q", from.Name, from.Key)}
	}
	return nil
}

var expansion = regexp.MustCompile(`\$\(([A-Za-z0-9_]+)\)`)

// expansions says which `$(NAME)` stay as they are, for want of a variable before them.
func expansions(text string, defined map[string]bool) []error {
	var problems []error
	for _, found := range expansion.FindAllStringSubmatch(text, -1) {
		if !defined[found[1]] {
			problems = append(problems, fmt.Errorf("no variable %q comes before %q", found[1], text))
		}
	}
	return problems
}
