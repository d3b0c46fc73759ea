{{/* What every container has. */}}
{{- define "virtfn.container" -}}
image: {{ .Values.image.repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{/* The address that a daemon listens on. */}}
{{- define "virtfn.hostIp" -}}
env:
  - name: HOST_IP
    valueFrom:
      fieldRef:
        fieldPath: status.hostIP
{{- end }}

{{- define "virtfn.unprivileged" -}}
securityContext:
  runAsUser: 0
  runAsGroup: 0
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "virtfn.privileged" -}}
securityContext:
  runAsUser: 0
  runAsGroup: 0
  privileged: true
  readOnlyRootFilesystem: true
{{- end }}
