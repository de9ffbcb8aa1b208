// Prints what the server's internal Go structs look like in JSON: see generate_internal_facts.py.
//
// A field is [name in JSON, its name in the API, type, flags], types and flags as in struct_facts.go. Internal structs
// have no tags, so that Go's names show; they are walked beside the API's structs, which have the other names.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/kubernetes/pkg/apis/admissionregistration"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/certificates"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/flowcontrol"
	"k8s.io/kubernetes/pkg/apis/networking"
	"k8s.io/kubernetes/pkg/apis/node"
	"k8s.io/kubernetes/pkg/apis/policy"
	"k8s.io/kubernetes/pkg/apis/rbac"
	"k8s.io/kubernetes/pkg/apis/resource"
	"k8s.io/kubernetes/pkg/apis/storage"
)

var roots = [][2]any{
	{core.Pod{}, corev1.Pod{}},
	{core.PersistentVolume{}, corev1.PersistentVolume{}},
	{core.PersistentVolumeSource{}, corev1.PersistentVolumeSource{}},
	{core.PersistentVolumeClaim{}, corev1.PersistentVolumeClaim{}},
	{core.Node{}, corev1.Node{}},
	{core.Service{}, corev1.Service{}},
	{core.LimitRange{}, corev1.LimitRange{}},
	{core.ResourceQuota{}, corev1.ResourceQuota{}},
	{apps.Deployment{}, appsv1.Deployment{}},
	{apps.DaemonSet{}, appsv1.DaemonSet{}},
	{apps.StatefulSet{}, appsv1.StatefulSet{}},
	{apps.ReplicaSet{}, appsv1.ReplicaSet{}},
	{batch.Job{}, batchv1.Job{}},
	{batch.CronJob{}, batchv1.CronJob{}},
	{autoscaling.HorizontalPodAutoscaler{}, autoscalingv2.HorizontalPodAutoscaler{}},
	{policy.PodDisruptionBudget{}, policyv1.PodDisruptionBudget{}},
	{rbac.RoleBinding{}, rbacv1.RoleBinding{}},
	{rbac.ClusterRole{}, rbacv1.ClusterRole{}},
	{networking.Ingress{}, networkingv1.Ingress{}},
	{networking.NetworkPolicy{}, networkingv1.NetworkPolicy{}},
	{networking.IPAddress{}, networkingv1.IPAddress{}},
	{networking.ServiceCIDR{}, networkingv1.ServiceCIDR{}},
	{flowcontrol.FlowSchema{}, flowcontrolv1.FlowSchema{}},
	{flowcontrol.PriorityLevelConfiguration{}, flowcontrolv1.PriorityLevelConfiguration{}},
	{resource.ResourceClaim{}, resourcev1.ResourceClaim{}},
	{resource.ResourceClaimTemplate{}, resourcev1.ResourceClaimTemplate{}},
	{resource.DeviceClass{}, resourcev1.DeviceClass{}},
	{resource.ResourceSlice{}, resourcev1.ResourceSlice{}},
	{storage.StorageClass{}, storagev1.StorageClass{}},
	{storage.CSIDriver{}, storagev1.CSIDriver{}},
	{storage.CSINode{}, storagev1.CSINode{}},
	{storage.VolumeAttachment{}, storagev1.VolumeAttachment{}},
	{node.RuntimeClass{}, nodev1.RuntimeClass{}},
	{certificates.CertificateSigningRequest{}, certificatesv1.CertificateSigningRequest{}},
	{admissionregistration.ValidatingAdmissionPolicy{}, admissionregistrationv1.ValidatingAdmissionPolicy{}},
	{admissionregistration.ValidatingWebhookConfiguration{}, admissionregistrationv1.ValidatingWebhookConfiguration{}},
	{apiextensions.CustomResourceDefinitionVersion{}, apiextensionsv1.CustomResourceDefinitionVersion{}},
}

var letters = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  "u",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":   "d",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":   "r",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   "q",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": "x",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":    "r",
}

type table struct {
	Types   [][][]any      `json:"types"`
	Structs map[string]int `json:"structs"`
	known   map[reflect.Type]int
}

func bare(kind reflect.Type) reflect.Type {
	for kind != nil && kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind
}

func (t *table) number(kind, other reflect.Type) int {
	if number, found := t.known[kind]; found {
		return number
	}
	number := len(t.Types)
	t.known[kind] = number
	t.Types = append(t.Types, nil)
	t.Structs[kind.String()] = number
	t.Types[number] = t.fields(kind, other)
	return number
}

func (t *table) fields(kind, other reflect.Type) [][]any {
	result := [][]any{}
	for index := 0; index < kind.NumField(); index++ {
		field := kind.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			result = append(result, t.fields(bare(field.Type), other)...)
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		inside, counterpart := name, reflect.Type(nil)
		if other != nil && other.Kind() == reflect.Struct {
			if found, ok := other.FieldByName(field.Name); ok {
				counterpart = found.Type
				inside, _, _ = strings.Cut(found.Tag.Get("json"), ",")
			}
		}
		if name == "" {
			name = field.Name
		}
		if inside == "" {
			inside = strings.ToLower(field.Name[:1]) + field.Name[1:]
		}
		reference, flags := t.reference(field.Type, counterpart)
		if strings.Contains(options, "omitempty") {
			flags += "o"
		}
		result = append(result, []any{name, inside, reference, flags})
	}
	return result
}

func (t *table) reference(kind, other reflect.Type) (any, string) {
	if letter, found := letters[kind.PkgPath()+"."+kind.Name()]; found {
		return letter, ""
	}
	other = bare(other)
	element := other
	if other != nil && (other.Kind() == reflect.Slice || other.Kind() == reflect.Map) {
		element = other.Elem()
	}
	switch kind.Kind() {
	case reflect.Pointer:
		reference, flags := t.reference(kind.Elem(), other)
		return reference, "p" + flags
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return "y", ""
		}
		reference, flags := t.reference(kind.Elem(), element)
		return reference, "l" + flags
	case reflect.Map:
		reference, flags := t.reference(kind.Elem(), element)
		return reference, "m" + flags
	case reflect.String:
		return "s", ""
	case reflect.Bool:
		return "b", ""
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "i", ""
	case reflect.Float32, reflect.Float64:
		return "f", ""
	case reflect.Struct:
		return t.number(kind, bare(other)), ""
	}
	return "r", ""
}

func main() {
	facts := table{Structs: map[string]int{}, known: map[reflect.Type]int{}}
	for _, root := range roots {
		facts.number(reflect.TypeOf(root[0]), reflect.TypeOf(root[1]))
	}
	if err := json.NewEncoder(os.Stdout).Encode(facts); err != nil {
		panic(err)
	}
}
