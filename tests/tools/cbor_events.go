// Writes the events of a watch as an API server's CBOR serializer does: see record_cbor.py.
//
// Reads a JSON list of {"type", "object"}; writes each event's CBOR in base64, as a JSON list.
package main

import (
	"bytes"
	"encoding/json"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
)

type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

func main() {
	scheme := runtime.NewScheme()
	check(corev1.AddToScheme(scheme))
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	serializer := cbor.NewSerializer(scheme, scheme)
	var events []event
	check(json.NewDecoder(os.Stdin).Decode(&events))
	var written [][]byte
	for _, one := range events {
		object, _, err := decoder.Decode(one.Object, nil, nil)
		check(err)
		var raw, frame bytes.Buffer
		check(serializer.EncodeNondeterministic(object, &raw))
		told := &metav1.WatchEvent{Type: one.Type, Object: runtime.RawExtension{Raw: raw.Bytes()}}
		check(serializer.EncodeNondeterministic(told, &frame))
		written = append(written, frame.Bytes())
	}
	check(json.NewEncoder(os.Stdout).Encode(written))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
