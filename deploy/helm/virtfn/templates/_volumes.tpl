{{/* Folders of the node and files of the cluster that the containers mount. */}}
{{- define "virtfn.volumes" -}}
- name: cni-bin
  hostPath:
    path: {{ .Values.paths.cniBin }}
    type: DirectoryOrCreate
- name: cni-conf
  hostPath:
    path: {{ .Values.paths.cniConf }}
    type: DirectoryOrCreate
# chained.yaml: the networks of pods' VFs. Without it a VF is attached as it is, without an address.
- name: cni-entry
  configMap:
    name: virtfn-cni
    optional: true
# config.yaml: which VFs are offered under which names. Without it every VF is sriov/vf.
- name: resources
  configMap:
    name: virtfn-deviceplugin
    optional: true
# node.yaml: interrupt policies of the node, and what networks and pods may ask for.
- name: node-config
  hostPath:
    path: /etc/virtfn
    type: DirectoryOrCreate
- name: host-root
  hostPath:
    path: /
    type: Directory
- name: plugins-registry
  hostPath:
    path: {{ .Values.paths.kubelet }}/plugins_registry
    type: Directory
# The kubelet has it here whatever its --root-dir is.
- name: device-plugins
  hostPath:
    path: /var/lib/kubelet/device-plugins
    type: Directory
- name: pod-resources
  hostPath:
    path: {{ .Values.paths.kubelet }}/pod-resources
    type: Directory
- name: state
  hostPath:
    path: /var/lib/virtfn
    type: DirectoryOrCreate
- name: run
  hostPath:
    path: /run/virtfn
    type: DirectoryOrCreate
- name: device-info
  hostPath:
    path: /run/k8s.cni.cncf.io
    type: DirectoryOrCreate
- name: netns
  hostPath:
    path: /run/netns
    type: DirectoryOrCreate
{{- if .Values.cdi }}
- name: cdi
  hostPath:
    path: /run/cdi
    type: DirectoryOrCreate
{{- end }}
{{- if .Values.udevRule }}
- name: udev-rules
  hostPath:
    path: /etc/udev/rules.d
    type: DirectoryOrCreate
{{- end }}
{{- if .Values.report }}
- name: api-access
  projected:
    # 0400
    defaultMode: 256
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
{{- end }}
{{- end }}
