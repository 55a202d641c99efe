package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// What the API server does with a new object of each kind.
var strategies = map[schema.GroupVersionKind]rest.RESTCreateStrategy{
	{Group: "apps", Version: "v1", Kind: "Deployment"}:                     deployment.Strategy,
	{Group: "apps", Version: "v1", Kind: "StatefulSet"}:                    statefulset.Strategy,
	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}: horizontalpodautoscaler.Strategy,
	{Group: "", Version: "v1", Kind: "ConfigMap"}:                          configmap.Strategy,
	{Group: "", Version: "v1", Kind: "Namespace"}:                          namespace.Strategy,
	{Group: "", Version: "v1", Kind: "PersistentVolumeClaim"}:              persistentvolumeclaim.Strategy,
	{Group: "", Version: "v1", Kind: "Secret"}:                             secret.Strategy,
	{Group: "", Version: "v1", Kind: "Service"}:                            service.Strategy,
	{Group: "", Version: "v1", Kind: "ServiceAccount"}:                     serviceaccount.Strategy,
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}:     networkpolicy.Strategy,
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}:          poddisruptionbudget.Strategy,
}

// warnings are as good as errors here.
type warnings struct {
	problems []error
}

func (it *warnings) AddWarning(_, text string) {
	it.problems = append(it.problems, fmt.Errorf("warning: %s", text))
}

// admit says what the API server has against the object.
func admit(it object, all set) []error {
	strategy, known := strategies[it.kind]
	if !known {
		return []error{fmt.Errorf("no check for %s: add its strategy", it.kind)}
	}
	internal, err := legacyscheme.Scheme.ConvertToVersion(
		it.typed, schema.GroupVersion{Group: it.kind.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return []error{err}
	}
	created, ok := internal.(metav1.Object)
	if !ok {
		return []error{fmt.Errorf("%T has no metadata", internal)}
	}
	if strategy.NamespaceScoped() && all.find("Namespace", "", it.meta.GetNamespace()) == nil {
		return []error{fmt.Errorf("namespace %q is none of these objects", it.meta.GetNamespace())}
	}
	// What the server fills in on its way to here.
	if service, ok := internal.(*core.Service); ok && service.Spec.ClusterIP != "" {
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	created.SetUID(types.UID("00000000-0000-4000-8000-000000000000"))
	created.SetCreationTimestamp(metav1.Now())

	var warned warnings
	ctx := warning.WithWarningRecorder(context.Background(), &warned)
	ctx = request.WithNamespace(ctx, it.meta.GetNamespace())
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		IsResourceRequest: true,
		Verb:              "create",
		APIGroup:          it.kind.Group,
		APIVersion:        it.kind.Version,
		Namespace:         it.meta.GetNamespace(),
	})
	problems := confined(it, all)
	if err := rest.BeforeCreate(strategy, ctx, internal); err != nil {
		problems = append(problems, err)
	}
	return append(problems, warned.problems...)
}

// confined says what the pod security level of the namespace has against the object's pods.
func confined(it object, all set) []error {
	pods := it.pods()
	if pods == nil {
		return nil
	}
	home := all.find("Namespace", "", it.meta.GetNamespace())
	if home == nil {
		return nil
	}
	latest := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	levels, invalid := api.PolicyToEvaluate(home.typed.(*corev1.Namespace).Labels,
		api.Policy{Enforce: latest, Audit: latest, Warn: latest})
	if len(invalid) > 0 {
		return []error{invalid.ToAggregate()}
	}
	if levels.Enforce.Level != api.LevelRestricted {
		return []error{errors.New("its namespace does not enforce `restricted`")}
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []error{err}
	}
	found := evaluator.EvaluatePod(levels.Enforce, &pods.ObjectMeta, &pods.Spec)
	if result := policy.AggregateCheckResults(found); !result.Allowed {
		return []error{fmt.Errorf("pod security: %s: %s", result.ForbiddenReason(), result.ForbiddenDetail())}
	}
	return nil
}
