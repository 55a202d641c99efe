package main

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// object is one that was decoded, with the API server's defaults.
type object struct {
	kind schema.GroupVersionKind
	meta metav1.Object
	// As it is sent, and not as the API server holds it.
	typed runtime.Object
}

// set is all that is applied together.
type set struct {
	objects []object
}

var codecs = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

// decode refuses fields that there are not, and ones that are there twice.
func decode(text []byte) (object, error) {
	typed, kind, err := codecs.UniversalDeserializer().Decode(text, nil, nil)
	if err != nil {
		return object{}, err
	}
	accessor, err := meta.Accessor(typed)
	if err != nil {
		return object{}, err
	}
	legacyscheme.Scheme.Default(typed)
	return object{kind: *kind, meta: accessor, typed: typed}, nil
}

func (it object) String() string {
	return fmt.Sprintf("%s %s", it.kind.Kind, it.meta.GetName())
}

// pods is what pods are made from, if the object makes any.
func (it object) pods() *corev1.PodTemplateSpec {
	switch typed := it.typed.(type) {
	case *appsv1.Deployment:
		return &typed.Spec.Template
	case *appsv1.StatefulSet:
		return &typed.Spec.Template
	}
	return nil
}

func newSet(objects []object) set {
	return set{objects}
}

// find gives the object of that kind and name, in that namespace.
func (it set) find(kind, namespace, name string) *object {
	for index, object := range it.objects {
		if object.kind.Kind == kind && object.meta.GetName() == name &&
			object.meta.GetNamespace() == namespace {
			return &it.objects[index]
		}
	}
	return nil
}

// selected gives the templates of pods that a selector selects.
func (it set) selected(namespace string, selector labels.Selector) []*corev1.PodTemplateSpec {
	var found []*corev1.PodTemplateSpec
	for _, object := range it.objects {
		pods := object.pods()
		if pods != nil && object.meta.GetNamespace() == namespace &&
			selector.Matches(labels.Set(pods.Labels)) {
			found = append(found, pods)
		}
	}
	return found
}
