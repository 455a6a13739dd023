{{- define "asana-access-review.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects. At most 52 characters, because Kubernetes adds eleven to it for the names of Jobs. With
shards, the name of a pod's host has a dash and the number of the shard as well. */}}
{{- define "asana-access-review.fullname" -}}
{{- $longest := 52 }}
{{- if .Values.sharding.enabled }}
{{- $longest = .Values.sharding.shards | int64 | add -1 | toString | len | sub 51 | int }}
{{- end }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := printf "%s-%s" .Release.Name $name }}
{{- if contains $name .Release.Name }}{{ $full = .Release.Name }}{{ end }}
{{- default $full .Values.fullnameOverride | trunc $longest | trimSuffix "-" }}
{{- end }}

{{/* The name of the CronJob that makes audit packs. */}}
{{- define "asana-access-review.packName" -}}
{{- printf "%s-pack" (include "asana-access-review.fullname" . | trunc 47 | trimSuffix "-") }}
{{- end }}

{{- define "asana-access-review.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "asana-access-review.selectorLabels" -}}
app.kubernetes.io/name: {{ include "asana-access-review.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "asana-access-review.labels" -}}
{{- $ours := dict
  "helm.sh/chart" (include "asana-access-review.chart" .)
  "app.kubernetes.io/version" (.Values.image.tag | default .Chart.AppVersion | trunc 63 | trimSuffix "-" | trimSuffix "." | trimSuffix "_")
  "app.kubernetes.io/component" "review"
  "app.kubernetes.io/part-of" "asana-access-review"
  "app.kubernetes.io/managed-by" .Release.Service }}
{{- $selector := include "asana-access-review.selectorLabels" . | fromYaml }}
{{- toYaml (merge $selector $ours (deepCopy .Values.commonLabels)) }}
{{- end }}

{{/* The metadata of an object: (list root suffix labels annotations) */}}
{{- define "asana-access-review.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "asana-access-review.fullname" $root }}{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- $labels := include "asana-access-review.labels" $root | fromYaml }}
  {{- toYaml (merge $labels (deepCopy (index . 2))) | nindent 2 }}
{{- $annotations := merge (deepCopy (index . 3)) (deepCopy $root.Values.commonAnnotations) }}
{{- if $annotations }}
annotations:
  {{- toYaml $annotations | nindent 2 }}
{{- end }}
{{- end }}

{{- define "asana-access-review.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "asana-access-review.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "asana-access-review.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The Secret's name, or nothing. */}}
{{- define "asana-access-review.secretName" -}}
{{- if .Values.externalSecret.enabled }}
{{- include "asana-access-review.fullname" . }}
{{- else }}
{{- .Values.existingSecret }}
{{- end }}
{{- end }}

{{/* The variable of a key: TRUTO_BASE_URL for trutoBaseUrl. */}}
{{- define "asana-access-review.variable" -}}
{{- if eq . "awsCredentials" }}AWS_SHARED_CREDENTIALS{{ else }}{{ regexReplaceAll "([A-Z])" . "_${1}" | upper }}{{ end }}
{{- end }}

{{/* The names that extraEnv sets, as a map. */}}
{{- define "asana-access-review.extraNames" -}}
{{- $names := dict }}
{{- range .Values.extraEnv }}{{ $_ := set $names .name true }}{{ end }}
{{- toYaml $names }}
{{- end }}

{{/* The used entries of secretKeys: each name with its key in the Secret. */}}
{{- define "asana-access-review.secretKeys" -}}
{{- $keys := dict }}
{{- if include "asana-access-review.secretName" . }}
{{- range $name, $key := .Values.secretKeys }}
{{- if $key }}{{ $_ := set $keys $name $key }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $keys }}
{{- end }}

{{/* Not empty if a receiver of notifications is configured, so that a finding need not fail the Job as well. */}}
{{- define "asana-access-review.hasNotifier" -}}
{{- $names := include "asana-access-review.extraNames" . | fromYaml }}
{{- range $key, $_ := include "asana-access-review.secretKeys" . | fromYaml }}
{{- $_ := set $names (include "asana-access-review.variable" $key) true }}
{{- end }}
{{- range list "NOTIFY_WEBHOOK_URL" "NOTIFY_SLACK_WEBHOOK_URL" }}
{{- if or (hasKey $names .) (hasKey $names (printf "%s_FILE" .)) }}yes{{ end }}
{{- end }}
{{- end }}

{{/* Not empty if a list of connections is set. */}}
{{- define "asana-access-review.hasConnections" -}}
{{- if or .Values.config.connectionsUrl (hasKey (include "asana-access-review.extraNames" . | fromYaml) "CONNECTIONS_URL") }}yes{{ end }}
{{- end }}

{{/* Not empty if runs publish metrics. */}}
{{- define "asana-access-review.hasMetrics" -}}
{{- $names := include "asana-access-review.extraNames" . | fromYaml }}
{{- if or .Values.config.metricsFile .Values.config.metricsPushgatewayUrl (hasKey $names "METRICS_FILE") (hasKey $names "METRICS_PUSHGATEWAY_URL") }}yes{{ end }}
{{- end }}

{{/* The value of FAIL_ON. */}}
{{- define "asana-access-review.failOn" -}}
{{- if ne .Values.config.failOn "auto" }}
{{- .Values.config.failOn }}
{{- else if include "asana-access-review.hasConnections" . }}never
{{- else if include "asana-access-review.hasNotifier" . }}inconclusive
{{- else }}findings
{{- end }}
{{- end }}

{{/* Every variable that the ConfigMap sets, with its value. */}}
{{- define "asana-access-review.config" -}}
{{- $out := dict }}
{{- range $key, $value := .Values.config }}
{{- $text := "" }}
{{- if kindIs "slice" $value }}
{{- /* The text of a control may contain commas. */}}
{{- $text = join (eq $key "controlIds" | ternary "; " ",") $value }}
{{- else if kindIs "map" $value }}
{{- /* Names of work places may contain commas, so their pairs end with a semicolon. */}}
{{- $end := eq $key "hrLocationZones" | ternary ";" "," }}
{{- range $name, $pair := $value }}{{ $text = printf "%s%s=%s%s" $text $name $pair $end }}{{ end }}
{{- if ne $key "hrLocationZones" }}{{ $text = trimSuffix "," $text }}{{ end }}
{{- else if kindIs "float64" $value }}
{{- $text = $value | int64 | toString }}
{{- else if not (kindIs "invalid" $value) }}
{{- $text = toString $value }}
{{- end }}
{{- if $text }}{{ $_ := set $out (include "asana-access-review.variable" $key) $text }}{{ end }}
{{- end }}
{{- $_ := set $out "FAIL_ON" (include "asana-access-review.failOn" .) }}
{{- $_ := set $out "RUN_SCHEDULE" .Values.cronJob.schedule }}
{{- $_ := set $out "RUN_SCHEDULE_ZONE" .Values.cronJob.timeZone }}
{{- if not (hasKey $out "HR_TIME_ZONE") }}{{ $_ := set $out "HR_TIME_ZONE" .Values.cronJob.timeZone }}{{ end }}
{{- toYaml $out }}
{{- end }}

{{/* A duration, such as 50m, in seconds. */}}
{{- define "asana-access-review.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | int64 }}
{{- $unit := regexFind "[smhd]$" . }}
{{- mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}

{{/* How many shards run at the same time. */}}
{{- define "asana-access-review.parallelism" -}}
{{- $sharding := .Values.sharding }}
{{- kindIs "invalid" $sharding.parallelism | ternary $sharding.shards $sharding.parallelism | int64 }}
{{- end }}

{{- define "asana-access-review.activeDeadlineSeconds" -}}
{{- if and .Values.sharding.enabled (kindIs "invalid" .Values.cronJob.activeDeadlineSeconds) }}
{{- $parallelism := include "asana-access-review.parallelism" . | int64 }}
{{- $rounds := div (add (.Values.sharding.shards | int64) $parallelism -1) $parallelism }}
{{- $tries := add (.Values.sharding.backoffLimitPerIndex | int64) 1 }}
{{- $each := add (include "asana-access-review.seconds" .Values.config.shardDeadline) (include "asana-access-review.seconds" .Values.config.runDeadline) }}
{{- add (mul $rounds $tries $each) 900 }}
{{- else if kindIs "invalid" .Values.cronJob.activeDeadlineSeconds }}
{{- $retries := kindIs "invalid" .Values.cronJob.backoffLimit | ternary 6 .Values.cronJob.backoffLimit | int64 }}
{{- add (mul (add $retries 1) (include "asana-access-review.seconds" .Values.config.runDeadline | int64)) 900 }}
{{- else }}
{{- .Values.cronJob.activeDeadlineSeconds | int64 }}
{{- end }}
{{- end }}

{{/* The environment beyond the ConfigMap. An entry in extraEnv replaces the chart's entry of the same name, because
server-side apply rejects a duplicate name. */}}
{{- define "asana-access-review.env" -}}
{{- $env := list
  (dict "name" "JOB_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.labels['batch.kubernetes.io/job-name']")))
  (dict "name" "POD_UID" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.uid"))) }}
{{- if .Values.image.digest }}
{{- $env = append $env (dict "name" "IMAGE_DIGEST" "value" .Values.image.digest) }}
{{- end }}
{{- with .Values.aws.region }}{{ $env = append $env (dict "name" "AWS_REGION" "value" .) }}{{ end }}
{{- with .Values.aws.endpointUrlS3 }}{{ $env = append $env (dict "name" "AWS_ENDPOINT_URL_S3" "value" .) }}{{ end }}
{{- $env = append $env (dict "name" "AWS_EC2_METADATA_DISABLED" "value" (toString .Values.aws.ec2MetadataDisabled)) }}
{{- with .Values.proxy.url }}{{ $env = append $env (dict "name" "HTTPS_PROXY" "value" .) }}{{ end }}
{{- with .Values.proxy.noProxy }}{{ $env = append $env (dict "name" "NO_PROXY" "value" (join "," .)) }}{{ end }}
{{- /* Both variables together add the folder to the certificates of the image. */}}
{{- if .Values.privateCa.configMap }}
{{- $env = append $env (dict "name" "SSL_CERT_FILE" "value" "/etc/ssl/certs/ca-certificates.crt") }}
{{- $env = append $env (dict "name" "SSL_CERT_DIR" "value" "/etc/private-ca") }}
{{- end }}
{{- $secret := include "asana-access-review.secretName" . }}
{{- range $name, $key := include "asana-access-review.secretKeys" . | fromYaml }}
{{- $variable := include "asana-access-review.variable" $name }}
{{- if and $.Values.secretsAsEnv (ne $name "awsCredentials") }}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" $key))) }}
{{- else }}
{{- $env = append $env (dict "name" (printf "%s_FILE" $variable) "value" (printf "%s/%s" $.Values.secretsMountPath $variable)) }}
{{- end }}
{{- end }}
{{- $names := include "asana-access-review.extraNames" . | fromYaml }}
{{- $merged := list }}
{{- range $env }}{{ if not (hasKey $names .name) }}{{ $merged = append $merged . }}{{ end }}{{ end }}
{{- toYaml (concat $merged .Values.extraEnv) }}
{{- end }}

{{/* The variables of a shard. Kubernetes sets JOB_COMPLETION_INDEX itself. */}}
{{- define "asana-access-review.shardEnv" -}}
{{- if .Values.sharding.enabled -}}
- name: SHARD_COUNT
  value: {{ .Values.sharding.shards | int64 | quote }}
- name: JOB_RETRY
  valueFrom:
    fieldRef:
      fieldPath: metadata.annotations['batch.kubernetes.io/job-index-failure-count']
{{- end }}
{{- end }}

{{/* The ports of the addresses in the values, 443 first. */}}
{{- define "asana-access-review.ports" -}}
{{- $config := .Values.config }}
{{- $urls := list .Values.proxy.url .Values.aws.endpointUrlS3 $config.trutoBaseUrl $config.hrFeedUrl $config.aliasesUrl $config.exceptionsUrl $config.connectionsUrl $config.metricsPushgatewayUrl }}
{{- range .Values.extraEnv }}
{{- if regexMatch "(?i)^(https?|all)_proxy$" .name }}{{ $urls = append $urls (.value | default "") }}{{ end }}
{{- end }}
{{- $ports := list 443 }}
{{- range $urls }}
{{- if regexMatch "^([a-z0-9]+://)?[^/]*:[0-9]+(/|$)" . }}
{{- $ports = append $ports (regexFind ":[0-9]+(/|$)" . | trimPrefix ":" | trimSuffix "/" | int) }}
{{- else if hasPrefix "http://" . }}{{ $ports = append $ports 80 }}
{{- end }}
{{- end }}
{{- toYaml (uniq $ports) }}
{{- end }}

{{/* The keys of the Secret that the pod mounts as files, as items of a volume. */}}
{{- define "asana-access-review.secretItems" -}}
{{- $items := list }}
{{- range $name, $key := include "asana-access-review.secretKeys" . | fromYaml }}
{{- if or (not $.Values.secretsAsEnv) (eq $name "awsCredentials") }}
{{- $items = append $items (dict "key" $key "path" (include "asana-access-review.variable" $name)) }}
{{- end }}
{{- end }}
{{- toYaml $items }}
{{- end }}

{{/* The volume for /review without its name, or nothing. Mode 288 is 0440: like secrets, the files are readable by
the pod's group. */}}
{{- define "asana-access-review.reviewFiles" -}}
{{- with .Values.review.claim }}
{{- dict "persistentVolumeClaim" (dict "claimName" .) | toYaml }}
{{- end }}
{{- end }}

{{/* Removes secrets from a copy of the values, and their variables from extraEnv: (list values names) */}}
{{- define "asana-access-review.omitSecrets" -}}
{{- $values := index . 0 }}
{{- $others := dict }}
{{- range $key := index . 1 }}
{{- $_ := set $values.secretKeys $key "" }}
{{- $variable := include "asana-access-review.variable" $key }}
{{- $_ := merge $others (dict $variable true (printf "%s_FILE" $variable) true) }}
{{- end }}
{{- $env := list }}
{{- range $values.extraEnv }}{{ if not (hasKey $others .name) }}{{ $env = append $env . }}{{ end }}{{ end }}
{{- $_ := set $values "extraEnv" $env }}
{{- end }}

{{/* The spec of every pod, for run, check, review and report: (list root arguments restartPolicy). `report` writes into
the working directory, reads the evidence, and gets no variable of the ConfigMap. */}}
{{- define "asana-access-review.podSpec" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values }}
{{- $isReport := index . 1 | first | eq "report" }}
{{- $items := include "asana-access-review.secretItems" $root | fromYamlArray -}}
restartPolicy: {{ index . 2 }}
serviceAccountName: {{ include "asana-access-review.serviceAccountName" $root }}
automountServiceAccountToken: {{ $values.serviceAccount.automountServiceAccountToken }}
enableServiceLinks: {{ $values.enableServiceLinks }}
{{- if not (kindIs "invalid" $values.terminationGracePeriodSeconds) }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds | int64 }}
{{- end }}
{{- range $key := list "imagePullSecrets" "hostAliases" "dnsConfig" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with index $values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- range $key := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with index $values $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- with $values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.extraPodSpec }}
{{ toYaml . }}
{{- end }}
{{- with $values.extraInitContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: asana-access-review
    image: {{ include "asana-access-review.image" $root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{ index . 1 | toJson }}
    {{- if $isReport }}
    workingDir: /audit-packs
    {{- end }}
    terminationMessagePolicy: {{ $values.terminationMessagePolicy }}
    {{- with $values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if or (not $isReport) $values.extraEnvFrom }}
    envFrom:
      {{- if not $isReport }}
      - configMapRef:
          name: {{ include "asana-access-review.fullname" $root }}
      {{- end }}
      {{- with $values.extraEnvFrom }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
    env:
      {{- include "asana-access-review.env" $root | nindent 6 }}
      {{- if eq (index . 1 | first) "run" }}
      {{- with include "asana-access-review.shardEnv" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- end }}
    {{- if or $items $values.persistence.enabled $values.privateCa.configMap $values.extraVolumeMounts }}
    volumeMounts:
      {{- if $items }}
      - name: secrets
        mountPath: {{ $values.secretsMountPath }}
        readOnly: true
      {{- end }}
      {{- if $values.persistence.enabled }}
      - name: evidence
        mountPath: {{ $values.persistence.mountPath }}
        {{- if $isReport }}
        readOnly: true
        {{- end }}
      {{- end }}
      {{- if $values.privateCa.configMap }}
      - name: private-ca
        mountPath: /etc/private-ca
        readOnly: true
      {{- end }}
      {{- with $values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or $items $values.persistence.enabled $values.privateCa.configMap $values.extraVolumes }}
volumes:
  {{- if $items }}
  - name: secrets
    secret:
      secretName: {{ include "asana-access-review.secretName" $root }}
      defaultMode: 288 # 0440
      items:
        {{- toYaml $items | nindent 8 }}
  {{- end }}
  {{- if $values.persistence.enabled }}
  - name: evidence
    persistentVolumeClaim:
      claimName: {{ $values.persistence.existingClaim | default (printf "%s-evidence" (include "asana-access-review.fullname" $root)) }}
  {{- end }}
  {{- with $values.privateCa.configMap }}
  - name: private-ca
    configMap:
      name: {{ . }}
      defaultMode: 292 # 0444
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
