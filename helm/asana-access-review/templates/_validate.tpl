{{/* Values that need a special form. A row has the key, the value, a regular expression, and what to write. The
schema could check them too, but its error would show only the expression. */}}
{{- define "asana-access-review.forms" -}}
{{- $config := .Values.config }}
{{- $problems := list }}
{{- $month := "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec" }}
{{- $day := "sun|mon|tue|wed|thu|fri|sat" }}
{{- $fields := list }}
{{- range list "[0-5]?[0-9]" "[01]?[0-9]|2[0-3]" "0?[1-9]|[12][0-9]|3[01]" (printf "0?[1-9]|1[0-2]|%s" $month) (printf "[0-6]|%s" $day) }}
{{- $one := printf "([*?]|(%s)(-(%s))?)(/[1-9][0-9]*)?" . . }}
{{- $fields = append $fields (printf "%s(,%s)*" $one $one) }}
{{- end }}
{{- $cron := printf "(?i)^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|%s)$" (join " +" $fields) }}
{{- $zones := .Files.Lines "zones.txt" }}
{{- $duration := "^[0-9]+[smhd]$" }}
{{- $someTime := "^0*[1-9][0-9]*[smhd]$" }}
{{- $loopback := "http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]+)?" }}
{{- $path := "(file://)?/[^\\s].*" }}
{{- $file := printf "https://[^@\\s]+|%s/.*|s3://[a-z0-9][a-z0-9.-]+/[^\\s].*|%s" $loopback $path }}
{{- $writeTime := "write `30s`, `10m`, `24h` or `7d`" }}
{{- $writeZone := "write an IANA name, such as `Europe/Berlin`" }}
{{- $writeFile := "write `s3://bucket/key`, `https://host/path` without credentials, or the absolute path of a mounted file" }}
{{- range list
  (list "cronJob.schedule" .Values.cronJob.schedule $cron "write five fields, such as `30 0,23 * * *`, and set the zone in cronJob.timeZone")
  (list "auditPack.schedule" .Values.auditPack.schedule (printf "^$|%s" $cron) "write five fields, such as `0 6 3 * *`")
  (list "config.trutoIntegratedAccountId" $config.trutoIntegratedAccountId "^[A-Za-z0-9_-]{0,128}$" "write the id of the connection, as Truto shows it")
  (list "config.trutoBaseUrl" $config.trutoBaseUrl (printf "^(https://[^@?#\\s]+|%s/?)$" $loopback) "write only scheme and host, such as `https://host`")
  (list "config.trutoRateLimit" $config.trutoRateLimit "^(off|[1-9][0-9]*/0*[1-9][0-9]*[smhd])$" "write `49/10s` or `off`")
  (list "config.trutoTokenRateLimit" $config.trutoTokenRateLimit "^(off|[1-9][0-9]*/0*[1-9][0-9]*[smhd])$" "write `490/10s` or `off`")
  (list "config.connectionsUrl" $config.connectionsUrl (printf "^$|^(%s)$" $file) $writeFile)
  (list "config.shardDeadline" $config.shardDeadline $someTime $writeTime)
  (list "config.hrFeedUrl" $config.hrFeedUrl (printf "^$|^(%s|truto-hris://[A-Za-z0-9_-]{1,128})$" $file) (printf "%s, or `truto-hris://INTEGRATED_ACCOUNT_ID`" $writeFile))
  (list "config.aliasesUrl" $config.aliasesUrl (printf "^$|^(%s)$" $file) $writeFile)
  (list "config.exceptionsUrl" $config.exceptionsUrl (printf "^$|^(%s)$" $file) $writeFile)
  (list "config.evidenceUrl" $config.evidenceUrl (printf "^$|^(s3://[a-z0-9][a-z0-9.-]+(/.*)?|%s)$" $path) "write `s3://bucket/prefix`, or a folder below persistence.mountPath")
  (list "config.hrFeedMaxAge" $config.hrFeedMaxAge "^(off|[0-9]+[smhd])$" "write `48h` or `off`")
  (list "config.reviewEvery" $config.reviewEvery "^(off|[0-9]+[smhd])$" "write `90d` or `off`")
  (list "config.revocationGrace" $config.revocationGrace $duration $writeTime)
  (list "config.offboardingGrace" $config.offboardingGrace $duration $writeTime)
  (list "config.retryMaxElapsed" $config.retryMaxElapsed $duration $writeTime)
  (list "config.httpTimeout" $config.httpTimeout $someTime $writeTime)
  (list "config.runDeadline" $config.runDeadline $someTime $writeTime)
  (list "config.metricsFile" $config.metricsFile "^$|^/.*[^/]\\.prom$" "write the absolute path of a file `NAME.prom`, such as `/textfile/asana.prom`")
  (list "config.metricsPushgatewayUrl" $config.metricsPushgatewayUrl "^$|^https?://[^@?#\\s]+$" "write scheme, host and port, such as `http://pushgateway.monitoring:9091`")
  (list "proxy.url" .Values.proxy.url "^$|^https?://[^@/\\s]+/?$" "write `http://host:port`; a proxy with a password belongs in a Secret, as HTTPS_PROXY in extraEnv")
  (list "prometheusRule.runbookUrl" .Values.prometheusRule.runbookUrl "^$|^https?://[^\\s#]+$" "write a full URL, such as `https://wiki.example.com/runbook`, or leave it empty for no link")
  (list "externalSecret.refreshInterval" .Values.externalSecret.refreshInterval "^([0-9]+[smh])+$" "write `1h` or `15m`") }}
{{- if not (regexMatch (index . 2) (index . 1)) }}
{{- $problems = append $problems (printf "%s is `%s`, which is not valid: %s" (index . 0) (index . 1) (index . 3)) }}
{{- end }}
{{- end }}
{{- range $key, $name := dict "cronJob.timeZone" .Values.cronJob.timeZone "config.hrTimeZone" $config.hrTimeZone }}
{{- if and $name (not (has $name $zones)) }}
{{- $problems = append $problems (printf "%s is `%s`, which is not a time zone: %s" $key $name $writeZone) }}
{{- end }}
{{- end }}
{{- range $place, $name := $config.hrLocationZones }}
{{- if not (and $name (has $name $zones)) }}
{{- $problems = append $problems (printf "config.hrLocationZones has `%s` for `%s`, which is not a time zone: %s" $name $place $writeZone) }}
{{- end }}
{{- end }}
{{- toYaml $problems }}
{{- end }}

{{/* Values of the audit pack that would fail. */}}
{{- define "asana-access-review.auditPackProblems" -}}
{{- $problems := list }}
{{- $pack := .Values.auditPack }}
{{- if and $pack.enabled (not $pack.claim) }}
{{- $problems = append $problems "auditPack.claim is not set, so a pack would be deleted with its pod: set it to an existing claim" }}
{{- end }}
{{- if and $pack.enabled (include "asana-access-review.hasConnections" .) (not (has "--connection" $pack.args)) }}
{{- $problems = append $problems "auditPack.args names no connection, but the evidence has many: add `--connection` and its id to auditPack.args" }}
{{- end }}
{{- range $name := list "--from" "--to" "--zone" "--out" }}
{{- range $pack.args }}
{{- if or (eq . $name) (hasPrefix (printf "%s=" $name) .) }}
{{- $problems = append $problems (printf "auditPack.args has `%s`, which the chart sets: set auditPack.period, or make the pack by hand" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $problems }}
{{- end }}

{{/* Values of a review Job that would fail. */}}
{{- define "asana-access-review.reviewProblems" -}}
{{- $problems := list }}
{{- $args := .Values.review.args }}
{{- $claim := .Values.review.claim }}
{{- if and $claim (not $args) }}
{{- $problems = append $problems "review.claim is set without review.args: set review.args to a step, such as `[close, --decisions, /review/received]`" }}
{{- end }}
{{- if $args }}
{{- /* `lookup` returns a list, even an empty one, only with a cluster. In `helm template` it returns nothing. */}}
{{- if or .Release.IsUpgrade (lookup "v1" "Secret" .Release.Namespace "") }}
{{- $problems = append $problems "review.args is set in an install or upgrade: omit it from the release's values, and create the Job with `helm template … --show-only templates/review-job.yaml | kubectl create --filename -`" }}
{{- end }}
{{- if not (has (first $args) (list "open" "status" "close" "acknowledge")) }}
{{- $problems = append $problems (printf "review.args begins with `%s`: begin it with open, status, close or acknowledge, such as `[open, --name, 2026-Q4, --due, 2026-12-31]`" (first $args)) }}
{{- end }}
{{- if has "--names" $args }}
{{- $problems = append $problems "review.args has --names, which would write people's names to the log of the pod: omit it, and run `review status --names` on a machine that can read the evidence" }}
{{- end }}
{{- /* The files of an option are the arguments up to the next option. */}}
{{- $files := list }}
{{- $option := "" }}
{{- range $args }}
{{- if hasPrefix "--" . }}
{{- $option = . | splitList "=" | first }}
{{- if and (contains "=" .) (has $option (list "--decisions" "--reviewers" "--attach")) }}{{ $files = append $files (. | splitList "=" | rest | join "=") }}{{ end }}
{{- else if has $option (list "--decisions" "--reviewers" "--attach") }}{{ $files = append $files . }}
{{- end }}
{{- end }}
{{- $mounts := list }}
{{- if $claim }}{{ $mounts = append $mounts "/review" }}{{ end }}
{{- if .Values.persistence.enabled }}{{ $mounts = append $mounts .Values.persistence.mountPath }}{{ end }}
{{- range .Values.extraVolumeMounts }}{{ $mounts = append $mounts .mountPath }}{{ end }}
{{- range $file := $files }}
{{- $mounted := false }}
{{- range $mounts }}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .)) (printf "%s/" $file) }}{{ $mounted = true }}{{ end }}
{{- end }}
{{- if contains "*" $file }}
{{- $problems = append $problems (printf "review.args has `%s`, but the pod has no shell to expand it: name the folder, such as `/review/received`" $file) }}
{{- else if not $mounted }}
{{- $problems = append $problems (printf "review.args has the file `%s`, but nothing is mounted there: %swrite `/review/NAME`" $file ($claim | empty | ternary "set review.claim to the name of a claim with your files, and " "")) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $problems }}
{{- end }}

{{/* Values of several connections that cannot work. */}}
{{- define "asana-access-review.shardingProblems" -}}
{{- $problems := list }}
{{- $config := .Values.config }}
{{- $sharding := .Values.sharding }}
{{- if include "asana-access-review.hasConnections" . }}
{{- range $key := list "trutoIntegratedAccountId" "asanaWorkspaceId" "hrFeedUrl" "aliasesUrl" "exceptionsUrl" "emailDomainAliases" "internalDomains" }}
{{- if index $config $key }}
{{- $problems = append $problems (printf "config.%s and a list of connections are both set: set what describes one company on its line of the list" $key) }}
{{- end }}
{{- end }}
{{- if index $.Values.secretKeys "hrFeedAuthorization" }}
{{- $problems = append $problems "secretKeys.hrFeedAuthorization and a list of connections are both set: mount a file for each company with extraVolumes, and write its path to HR_FEED_AUTHORIZATION_FILE on the company's line" }}
{{- end }}
{{- else }}
{{- if $sharding.enabled }}
{{- $problems = append $problems "sharding.enabled is true, but config.connectionsUrl is not set: set it to the list of connections, or set sharding.enabled to false" }}
{{- end }}
{{- range $key, $default := dict "connectionsConcurrency" "4" "shardDeadline" "1h" "trutoTokenRateLimit" "490/10s" }}
{{- if ne (index $config $key | toString) $default }}
{{- $problems = append $problems (printf "config.%s is set, but config.connectionsUrl is not: set config.connectionsUrl, or set config.%s to %s" $key $key $default) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $sharding.enabled }}
{{- $shards := int64 $sharding.shards }}
{{- $parallelism := include "asana-access-review.parallelism" . | int64 }}
{{- range $key := list "parallelism" "completions" "completionMode" "backoffLimitPerIndex" "maxFailedIndexes" "successPolicy" }}
{{- if not (kindIs "invalid" (index $.Values.cronJob $key)) }}
{{- $problems = append $problems (printf "cronJob.%s is set with sharding.enabled: set it to null, because the values of sharding decide" $key) }}
{{- end }}
{{- end }}
{{- $extra := include "asana-access-review.extraNames" . | fromYaml }}
{{- range list "SHARD_COUNT" "JOB_COMPLETION_INDEX" "JOB_RETRY" }}
{{- if hasKey $extra . }}
{{- $problems = append $problems (printf "%s is set in extraEnv, but the shards set it: remove it from extraEnv" .) }}
{{- end }}
{{- end }}
{{- if gt $parallelism $shards }}
{{- $problems = append $problems (printf "sharding.parallelism is %d, more than sharding.shards, %d: lower it, or set it to null" $parallelism $shards) }}
{{- end }}
{{- if ne .Values.restartPolicy "Never" }}
{{- $problems = append $problems "restartPolicy is not Never, which retries of a shard need: set it to Never" }}
{{- end }}
{{- $requests := regexFind "^[0-9]+" $config.trutoTokenRateLimit }}
{{- if and $requests (lt (int64 $requests) $shards) }}
{{- $problems = append $problems (printf "config.trutoTokenRateLimit leaves less than one request for each of %d shards: lower sharding.shards" $shards) }}
{{- end }}
{{- if not (kindIs "invalid" $sharding.minParallelism) }}
{{- if not $sharding.queueName }}
{{- $problems = append $problems "sharding.minParallelism is set, but sharding.queueName is not: set it, or set sharding.minParallelism to null" }}
{{- end }}
{{- if ge (int64 $sharding.minParallelism) $parallelism }}
{{- $problems = append $problems (printf "sharding.minParallelism is not below %d, the shards at the same time: lower it, or set it to null" $parallelism) }}
{{- end }}
{{- end }}
{{- with .Values.persistence }}
{{- if and .enabled (not .existingClaim) (gt $parallelism 1) (not (has "ReadWriteMany" .accessModes)) }}
{{- $problems = append $problems "persistence.accessModes has no ReadWriteMany, which shards on several nodes need: set it to [ReadWriteMany], or use a bucket" }}
{{- end }}
{{- end }}
{{- else if or $sharding.queueName (not (kindIs "invalid" $sharding.minParallelism)) }}
{{- $problems = append $problems "sharding.queueName or sharding.minParallelism is set, but sharding.enabled is false: set it to true, or use cronJob.jobLabels" }}
{{- end }}
{{- toYaml $problems }}
{{- end }}

{{/* The names that are more than once in a list. */}}
{{- define "asana-access-review.repeated" -}}
{{- $seen := dict }}
{{- $repeated := list }}
{{- range . }}
{{- if hasKey $seen . }}{{ $repeated = append $repeated . }}{{ end }}
{{- $_ := set $seen . true }}
{{- end }}
{{- toYaml (uniq $repeated) }}
{{- end }}

{{/* A Kubernetes quantity, such as 256Mi, as a number. */}}
{{- define "asana-access-review.quantity" -}}
{{- $unit := toString . | regexFind "([numkMGTPE]|[KMGTPE]i)?$" }}
{{- $sizes := dict "" 1.0 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 }}
{{- mulf (toString . | trimSuffix $unit | float64) (index $sizes $unit) }}
{{- end }}

{{/* Pods that Kubernetes would reject only after it has created all other objects. */}}
{{- define "asana-access-review.podProblems" -}}
{{- $problems := list }}
{{- $values := .Values }}
{{- $env := list }}
{{- range $values.extraEnv }}{{ $env = append $env .name }}{{ end }}
{{- $volumes := list }}
{{- if include "asana-access-review.secretItems" . | fromYamlArray }}{{ $volumes = append $volumes "secrets" }}{{ end }}
{{- if $values.persistence.enabled }}{{ $volumes = append $volumes "evidence" }}{{ end }}
{{- if $values.privateCa.configMap }}{{ $volumes = append $volumes "private-ca" }}{{ end }}
{{- if and $values.review.args (include "asana-access-review.reviewFiles" .) }}{{ $volumes = append $volumes "review" }}{{ end }}
{{- if $values.auditPack.enabled }}{{ $volumes = append $volumes "audit-packs" }}{{ end }}
{{- range $values.extraVolumes }}{{ $volumes = append $volumes .name }}{{ end }}
{{- $containers := list "asana-access-review" }}
{{- range concat $values.extraInitContainers $values.extraContainers }}{{ $containers = append $containers .name }}{{ end }}
{{- range list
  (list $env "extraEnv sets `%s` twice: keep one")
  (list $volumes "two volumes would have the name `%s`: rename the one in extraVolumes")
  (list $containers "two containers would have the name `%s`: rename the one in extraContainers or extraInitContainers") }}
{{- $sentence := index . 1 }}
{{- range include "asana-access-review.repeated" (index . 0) | fromYamlArray }}
{{- $problems = append $problems (printf $sentence .) }}
{{- end }}
{{- end }}
{{- range $key := list "extraInitContainers" "extraContainers" }}
{{- range index $values $key }}
{{- if not (hasKey . "securityContext") }}
{{- $problems = append $problems (printf "%s has `%s` without a securityContext, so a restricted namespace would reject the pod: add one, such as the chart's value securityContext, or `{}` if the namespace allows it" $key .name) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $request := $values.resources.requests }}
{{- $limit := index ($values.resources.limits | default dict) $name }}
{{- if and (not (kindIs "invalid" $limit)) (not (kindIs "invalid" $request)) }}
{{- if gt (include "asana-access-review.quantity" $request | float64) (include "asana-access-review.quantity" $limit | float64) }}
{{- $problems = append $problems (printf "resources.requests.%s is `%v`, more than resources.limits.%s, `%v`: raise the limit, or lower the request" $name $request $name $limit) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq $values.dnsPolicy "None") (not $values.dnsConfig.nameservers) }}
{{- $problems = append $problems "dnsPolicy is None without dnsConfig.nameservers, so no name could be resolved: set dnsConfig.nameservers, or omit dnsPolicy" }}
{{- end }}
{{- range $key := list "restartPolicy" "serviceAccountName" "automountServiceAccountToken" "enableServiceLinks" "terminationGracePeriodSeconds" "imagePullSecrets" "hostAliases" "dnsConfig" "dnsPolicy" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "runtimeClassName" "schedulerName" "securityContext" "initContainers" "containers" "volumes" }}
{{- if hasKey $values.extraPodSpec $key }}
{{- $problems = append $problems (printf "extraPodSpec has `%s`, which has a value of its own: see the chart's README" $key) }}
{{- end }}
{{- end }}
{{- toYaml $problems }}
{{- end }}

{{/* Values that are valid on their own but cannot work together. All problems are reported at once. */}}
{{- define "asana-access-review.validate" -}}
{{- $problems := include "asana-access-review.forms" . | fromYamlArray }}
{{- $config := .Values.config }}
{{- $cron := .Values.cronJob }}
{{- $extra := include "asana-access-review.extraNames" . | fromYaml }}
{{- $secrets := include "asana-access-review.secretKeys" . | fromYaml }}
{{- $feed := $config.hrFeedUrl }}

{{- if not .Values.image.repository }}
{{- $problems = append $problems "image.repository is not set: set it to where you pushed the image, such as `registry.example.com/asana-access-review`" }}
{{- end }}
{{- if not $cron.timeZone }}
{{- $problems = append $problems "cronJob.timeZone is not set: set it to the time zone of your HR dates, such as `Europe/Berlin` or `Etc/UTC`; the schedule and HR_TIME_ZONE use it" }}
{{- end }}

{{- $hasConnections := include "asana-access-review.hasConnections" . }}
{{- $required := dict "evidenceUrl" "where evidence goes, such as `s3://bucket/prefix`, or a folder below persistence.mountPath" }}
{{- if not $hasConnections }}
{{- $_ := set $required "trutoIntegratedAccountId" "the id of the Truto connection to Asana" }}
{{- $_ := set $required "hrFeedUrl" "where the HR feed is, such as `s3://bucket/leavers.csv`" }}
{{- end }}
{{- range $key, $what := $required }}
{{- $variable := include "asana-access-review.variable" $key }}
{{- if not (or (index $config $key) (hasKey $extra $variable) $.Values.extraEnvFrom) }}
{{- $problems = append $problems (printf "config.%s is not set: set it to %s" $key $what) }}
{{- end }}
{{- end }}

{{- $problems = concat $problems (include "asana-access-review.shardingProblems" . | fromYamlArray) }}

{{- /* Variables that are set twice. */}}
{{- range $variable, $_ := include "asana-access-review.config" . | fromYaml }}
{{- if hasKey $extra $variable }}
{{- $key := "" }}
{{- range $name, $_ := $config }}{{ if eq (include "asana-access-review.variable" $name) $variable }}{{ $key = $name }}{{ end }}{{ end }}
{{- $value := get (dict "RUN_SCHEDULE" "cronJob.schedule" "RUN_SCHEDULE_ZONE" "cronJob.timeZone") $variable | default (printf "config.%s" $key) }}
{{- $problems = append $problems (printf "%s is set in extraEnv and by %s: remove it from extraEnv, and set %s" $variable $value $value) }}
{{- end }}
{{- end }}
{{- range $name, $_ := $secrets }}
{{- $variable := include "asana-access-review.variable" $name }}
{{- $other := $.Values.secretsAsEnv | ternary (printf "%s_FILE" $variable) $variable }}
{{- if and (ne $name "awsCredentials") (hasKey $extra $other) }}
{{- $problems = append $problems (printf "%s is set in extraEnv, and %s by secretKeys.%s: set secretKeys.%s to an empty string, or remove %s from extraEnv" $other $variable $name $name $other) }}
{{- end }}
{{- end }}

{{- /* Secrets. */}}
{{- if not (or (hasKey $secrets "trutoApiToken") (hasKey $extra "TRUTO_API_TOKEN") (hasKey $extra "TRUTO_API_TOKEN_FILE") .Values.extraEnvFrom) }}
{{- $problems = append $problems "the Truto token is not set: set existingSecret to the name of a Secret with the key in secretKeys.trutoApiToken, or set externalSecret.enabled to true" }}
{{- end }}
{{- if and .Values.externalSecret.enabled .Values.existingSecret }}
{{- $problems = append $problems "existingSecret and externalSecret.enabled are both set: keep one" }}
{{- end }}
{{- if .Values.externalSecret.enabled }}
{{- if not .Values.externalSecret.secretStoreRef.name }}
{{- $problems = append $problems "externalSecret.secretStoreRef.name is not set: set it to the name of your SecretStore or ClusterSecretStore" }}
{{- end }}
{{- if not (or .Values.externalSecret.remoteKey .Values.externalSecret.data) }}
{{- $problems = append $problems "externalSecret has neither remoteKey nor data: set externalSecret.remoteKey to the name of the remote secret" }}
{{- end }}
{{- end }}
{{- range $name, $key := .Values.secretKeys }}
{{- if and $key (not (include "asana-access-review.secretName" $)) (ne $name "trutoApiToken") }}
{{- $problems = append $problems (printf "secretKeys.%s is set without a Secret: set existingSecret, or set externalSecret.enabled to true" $name) }}
{{- end }}
{{- end }}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) }}
{{- $problems = append $problems "serviceAccount.annotations is set, but serviceAccount.create is false: annotate the existing service account, or set serviceAccount.create to true" }}
{{- end }}

{{- if and .Values.proxy.noProxy (not .Values.proxy.url) (not (hasKey $extra "HTTPS_PROXY")) (not .Values.extraEnvFrom) }}
{{- $problems = append $problems "proxy.noProxy is set without a proxy: set proxy.url, or omit proxy.noProxy" }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if and .valueFrom (regexMatch "(?i)^(https?|all)_proxy$" .name) $.Values.networkPolicy.enabled (not $.Values.networkPolicy.extraEgress) }}
{{- $problems = append $problems (printf "extraEnv takes %s from elsewhere, so the chart cannot open the proxy's port: allow it in networkPolicy.extraEgress" .name) }}
{{- end }}
{{- end }}

{{- /* The HR feed. */}}
{{- range $key := list "hrFeedUrl" "aliasesUrl" "exceptionsUrl" "connectionsUrl" }}
{{- $url := index $config $key }}
{{- if regexMatch "^(file://)?/" $url }}
{{- $path := trimPrefix "file://" $url }}
{{- $mounted := false }}
{{- range $.Values.extraVolumeMounts }}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) (printf "%s/" $path) }}{{ $mounted = true }}{{ end }}
{{- end }}
{{- if not $mounted }}
{{- $problems = append $problems (printf "config.%s is the path `%s`, but nothing is mounted there: mount a volume with extraVolumes and extraVolumeMounts, or use https:// or s3://" $key $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $secrets.hrFeedAuthorization $feed (not (hasPrefix "https://" $feed)) }}
{{- $problems = append $problems "secretKeys.hrFeedAuthorization is set, but config.hrFeedUrl is not an https:// address: set secretKeys.hrFeedAuthorization to an empty string" }}
{{- end }}
{{- if hasPrefix "truto-hris://" $feed }}
{{- if eq $feed (printf "truto-hris://%s" $config.trutoIntegratedAccountId) }}
{{- $problems = append $problems "config.hrFeedUrl names the same connection as config.trutoIntegratedAccountId: name a connection to an HR system" }}
{{- end }}
{{- if or (ne $config.hrFeedFormat "auto") $config.hrFeedColumns $config.hrFeedRecords }}
{{- $problems = append $problems "config.hrFeedFormat, config.hrFeedColumns or config.hrFeedRecords is set, but config.hrFeedUrl is an HR system, for which Truto names the fields: omit them" }}
{{- end }}
{{- end }}
{{- if and (eq $config.asanaPermissions "narrow") (not $config.internalDomains) }}
{{- $problems = append $problems "config.asanaPermissions is narrow, but config.internalDomains is empty: without roles, only the domain of an address shows who is a guest, so list the organization's mail domains" }}
{{- end }}

{{- /* The evidence. */}}
{{- $evidence := $config.evidenceUrl }}
{{- $mount := printf "%s/" (trimSuffix "/" .Values.persistence.mountPath) }}
{{- if hasPrefix "s3://" $evidence }}
{{- if .Values.persistence.enabled }}
{{- $problems = append $problems "persistence.enabled is true, but config.evidenceUrl is a bucket, so nothing would be written to the claim: set persistence.enabled to false" }}
{{- end }}
{{- else if regexMatch "^(file://)?/" $evidence }}
{{- if not .Values.persistence.enabled }}
{{- $problems = append $problems (printf "config.evidenceUrl is the folder `%s`, which is deleted with its pod: set it to `s3://bucket/prefix`, or set persistence.enabled to true" $evidence) }}
{{- else if not (hasPrefix $mount (printf "%s/" (trimPrefix "file://" $evidence))) }}
{{- $problems = append $problems (printf "config.evidenceUrl is the folder `%s`, which is not below persistence.mountPath: set it to `%s` or a folder below it" $evidence (trimSuffix "/" $mount)) }}
{{- end }}
{{- end }}

{{- if and $config.evidenceObjectLockMode (kindIs "invalid" $config.evidenceRetentionDays) }}
{{- $problems = append $problems "config.evidenceObjectLockMode needs config.evidenceRetentionDays: set it to the number of days to keep evidence, such as 400" }}
{{- end }}
{{- range $key := list "evidenceObjectLockMode" "evidenceKmsKeyId" "evidenceBucketOwner" }}
{{- if and (index $config $key) $evidence (not (hasPrefix "s3://" $evidence)) }}
{{- $problems = append $problems (printf "config.%s is set, but config.evidenceUrl is a folder: omit it, because only a bucket supports it" $key) }}
{{- end }}
{{- end }}
{{- if and $config.evidenceSigningKmsKeyId $secrets.evidenceSigningKey }}
{{- $problems = append $problems "config.evidenceSigningKmsKeyId and secretKeys.evidenceSigningKey are both set: keep one" }}
{{- end }}

{{- /* Notifications. */}}
{{- $url := or $secrets.notifyWebhookUrl (hasKey $extra "NOTIFY_WEBHOOK_URL") (hasKey $extra "NOTIFY_WEBHOOK_URL_FILE") .Values.extraEnvFrom }}
{{- $key := or $secrets.notifyWebhookSecret (hasKey $extra "NOTIFY_WEBHOOK_SECRET") (hasKey $extra "NOTIFY_WEBHOOK_SECRET_FILE") .Values.extraEnvFrom }}
{{- if and $url (not $key) }}
{{- $problems = append $problems "the webhook has no signing key: set secretKeys.notifyWebhookSecret to the key of the Secret that holds its `whsec_` key" }}
{{- else if and $key (not $url) }}
{{- $problems = append $problems "secretKeys.notifyWebhookSecret is set without a webhook: set secretKeys.notifyWebhookUrl" }}
{{- end }}
{{- if and (ne $config.notifyOn "change") (not (include "asana-access-review.hasNotifier" .)) (not .Values.extraEnvFrom) }}
{{- $problems = append $problems "config.notifyOn is set without a receiver: set secretKeys.notifyWebhookUrl or secretKeys.notifySlackWebhookUrl, or omit config.notifyOn" }}
{{- end }}

{{- /* Metrics. */}}
{{- with $config.metricsFile }}
{{- $folder := printf "%s/" (dir .) }}
{{- $mounted := false }}
{{- range $.Values.extraVolumeMounts }}
{{- if and (not .readOnly) (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $folder) }}{{ $mounted = true }}{{ end }}
{{- end }}
{{- if not $mounted }}
{{- $problems = append $problems (printf "config.metricsFile is `%s`, but no writable volume is mounted there: mount the folder of node_exporter's textfile collector with extraVolumes and extraVolumeMounts, or set config.metricsPushgatewayUrl instead" .) }}
{{- end }}
{{- end }}
{{- if and .Values.dashboard.enabled (not (include "asana-access-review.hasMetrics" .)) (not .Values.extraEnvFrom) }}
{{- $problems = append $problems "dashboard.enabled is true, but runs publish no metrics: set config.metricsPushgatewayUrl or config.metricsFile" }}
{{- end }}

{{- /* The Job. */}}
{{- if $cron.podFailurePolicy }}
{{- if ne .Values.restartPolicy "Never" }}
{{- $problems = append $problems "restartPolicy is not Never, which cronJob.podFailurePolicy needs: set restartPolicy to Never, or cronJob.podFailurePolicy to null" }}
{{- end }}
{{- if and $cron.podReplacementPolicy (ne $cron.podReplacementPolicy "Failed") }}
{{- $problems = append $problems "cronJob.podReplacementPolicy is not Failed, which cronJob.podFailurePolicy needs: set it to Failed, or cronJob.podFailurePolicy to null" }}
{{- end }}
{{- range $cron.podFailurePolicy.rules }}
{{- if eq (empty .onExitCodes) (empty .onPodConditions) }}
{{- $problems = append $problems (printf "cronJob.podFailurePolicy has a rule %s with %s: give each rule either onExitCodes or onPodConditions" .action (empty .onExitCodes | ternary "no condition" "two conditions")) }}
{{- end }}
{{- if and (eq (toString .action) "FailIndex") (kindIs "invalid" $cron.backoffLimitPerIndex) }}
{{- $problems = append $problems "cronJob.podFailurePolicy has the action FailIndex, which needs cronJob.backoffLimitPerIndex: set it, or use FailJob" }}
{{- end }}
{{- if .onExitCodes }}
{{- $values := list }}
{{- range .onExitCodes.values }}{{ $values = append $values (int64 . | printf "%03d") }}{{ end }}
{{- if ne (join "," $values) (join "," (sortAlpha $values)) }}
{{- $problems = append $problems "cronJob.podFailurePolicy has unsorted exit codes: write them in ascending order" }}
{{- end }}
{{- if and (eq (toString .onExitCodes.operator) "In") (has "000" $values) }}
{{- $problems = append $problems "cronJob.podFailurePolicy has the exit code 0 with operator In: omit it, because 0 means success" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $deadline := include "asana-access-review.seconds" $config.runDeadline | int64 }}
{{- if lt (include "asana-access-review.activeDeadlineSeconds" . | int64) $deadline }}
{{- $problems = append $problems (printf "cronJob.activeDeadlineSeconds is less than config.runDeadline (%d seconds): set it to null, so that the chart computes it" $deadline) }}
{{- end }}
{{- if and (not (kindIs "invalid" $cron.backoffLimitPerIndex)) (ne (toString $cron.completionMode) "Indexed") }}
{{- $problems = append $problems "cronJob.backoffLimitPerIndex needs cronJob.completionMode Indexed: set it, or set cronJob.backoffLimitPerIndex to null" }}
{{- end }}
{{- if and (not (kindIs "invalid" $cron.maxFailedIndexes)) (kindIs "invalid" $cron.backoffLimitPerIndex) }}
{{- $problems = append $problems "cronJob.maxFailedIndexes needs cronJob.backoffLimitPerIndex: set it, or set cronJob.maxFailedIndexes to null" }}
{{- end }}
{{- if and (eq (toString $cron.completionMode) "Indexed") (kindIs "invalid" $cron.completions) }}
{{- $problems = append $problems "cronJob.completionMode Indexed needs cronJob.completions: set it to the number of indexes" }}
{{- end }}
{{- if and $cron.successPolicy (ne (toString $cron.completionMode) "Indexed") }}
{{- $problems = append $problems "cronJob.successPolicy needs cronJob.completionMode Indexed: set it, or set cronJob.successPolicy to null" }}
{{- end }}

{{- $problems = concat $problems (include "asana-access-review.podProblems" . | fromYamlArray) }}

{{- /* The alerts need finished Jobs. */}}
{{- if .Values.prometheusRule.enabled }}
{{- range $key := list "successfulJobsHistoryLimit" "failedJobsHistoryLimit" }}
{{- $limit := index $cron $key }}
{{- if and (not (kindIs "invalid" $limit)) (lt (int64 $limit) 1) }}
{{- $problems = append $problems (printf "cronJob.%s is 0, but the alerts need finished Jobs: set it to 1 or more, or set prometheusRule.enabled to false" $key) }}
{{- end }}
{{- end }}
{{- $hours := .Values.prometheusRule.notFinishedHours | int64 }}
{{- if and (not (kindIs "invalid" $cron.ttlSecondsAfterFinished)) (lt (int64 $cron.ttlSecondsAfterFinished) (mul $hours 3600)) }}
{{- $problems = append $problems (printf "cronJob.ttlSecondsAfterFinished is less than prometheusRule.notFinishedHours (%d h), but the alerts need finished Jobs for that long: set it to %d or more" $hours (mul $hours 3600)) }}
{{- end }}
{{- end }}

{{- $problems = concat $problems (include "asana-access-review.reviewProblems" . | fromYamlArray) }}
{{- $problems = concat $problems (include "asana-access-review.auditPackProblems" . | fromYamlArray) }}

{{- if $problems }}
{{- fail (printf "\n\nthe values have %d problem%s\n  %s\n" (len $problems) (eq (len $problems) 1 | ternary "" "s") (join "\n  " $problems)) }}
{{- end }}
{{- end }}
