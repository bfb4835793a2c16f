import UploadCore

/// What Swift writes over the hand-written tree: which components, the image by digest, values, patches. Pure; no secret
/// is needed and none can get in, because the cluster file holds only references.
package struct Overlay: Sendable {
  private let file: ClusterFile

  package init(_ file: ClusterFile) {
    self.file = file
  }

  /// The folders of the tree that it stands on.
  package var folders: [String] {
    var folders = ["base"]
    if usesCertManager { folders.append("cert-manager") }
    return folders + components.map { "components/\($0)" }
  }

  private var usesCertManager: Bool {
    if case .secret = file.certificates.issuer { return false }
    return true
  }

  /// In the order in which they are laid over the base.
  package var components: [String] {
    var components: [String] = []
    if !usesCertManager { components.append("own-certificate") }
    if file.ingress.tls == .direct { components.append("tls-direct") }
    return components + Feature.allCases.filter { file.features.enabled.contains($0) }.compactMap(\.component)
  }

  /// The overlay's own files.
  package var files: [RenderedFile] {
    var files = [
      RenderedFile(path: "kustomization.yaml", text: kustomization),
      RenderedFile(path: "bashupload.env", text: environment.map { "\($0.name)=\($0.value)\n" }.joined()),
    ]
    if file.ingress.tls == .nginx {
      files.append(RenderedFile(path: "nginx/limits.conf", text: limits))
      if !file.ingress.staticFiles.isEmpty {
        files.append(RenderedFile(path: "nginx/static.conf", text: staticLocations))
        files += staticFiles.map { RenderedFile(path: "nginx/\($0.name)", text: $0.text) }
      }
    }
    if !egress.isEmpty { files.append(RenderedFile(path: "network-policy.yaml", text: egress)) }
    return files + patches.map { RenderedFile(path: "patches/\($0.name).yaml", text: $0.text) }
  }

  private var patches: [OverlayPatches.Patch] { OverlayPatches(file, components: components).all }

  private var egress: String { EgressPolicies(file, components: components).text }

  private var kustomization: String {
    var lines = [
      "# Written by bashupload deploy from the cluster file of \(file.cluster). Change that file, not this one.",
      "apiVersion: kustomize.config.k8s.io/v1beta1",
      "kind: Kustomization",
      "resources:",
      "  - base",
    ]
    if usesCertManager { lines.append("  - cert-manager") }
    if !egress.isEmpty { lines.append("  - network-policy.yaml") }
    if !components.isEmpty { lines += ["components:"] + components.map { "  - components/\($0)" } }
    lines += [
      "labels:",
      "  - pairs:",
      "      bashupload.app/cluster: \(YAMLScalar.written(file.cluster))",
      "images:",
      "  - name: bashupload",
      "    newName: \(YAMLScalar.written(file.image.name))",
      "    digest: \(file.image.digest)",
      "configMapGenerator:",
      "  - name: bashupload",
      "    namespace: bashupload",
      "    behavior: merge",
      "    envs: [bashupload.env]",
    ]
    let configuration = files(of: "nginx/")
    if !configuration.isEmpty {
      lines += [
        "  - name: bashupload-nginx",
        "    namespace: bashupload",
        "    behavior: merge",
        "    files: [\(configuration.joined(separator: ", "))]",
      ]
    }
    if !patches.isEmpty { lines += ["patches:"] + patches.map { "  - path: patches/\($0.name).yaml" } }
    return lines.joined(separator: "\n") + "\n"
  }

  private func files(of folder: String) -> [String] {
    guard file.ingress.tls == .nginx else { return [] }
    let locations = file.ingress.staticFiles.isEmpty ? [] : ["nginx/static.conf"]
    return ["nginx/limits.conf"] + locations + staticFiles.map { "nginx/\($0.name)" }
  }

  /// The settings of the server, as its environment names them.
  package var environment: [(name: String, value: String)] {
    let policy = file.policy
    var settings = [
      ("PUBLIC_URL", "https://\(file.domain)"),
      ("MAX_UPLOAD_SIZE", String(policy.maxUploadSize.bytes)),
      ("MAX_AGE", String(policy.maxAge)),
      ("MAX_AGE_FOR_MULTIDOWNLOAD", String(policy.maxAgeForMultidownload)),
      ("ALLOW_LIFETIME_OVER_MAX_AGE", String(policy.allowLifetimeOverMaxAge)),
      ("MAX_DOWNLOADS", String(policy.maxDownloads)),
      ("ENABLE_SHORT_URL", String(file.shortURLService != nil)),
    ]
    if let service = file.shortURLService { settings.append(("SHORT_URL_SERVICE", service)) }
    settings += [("R2_ACCOUNT_ID", file.storage.accountID), ("R2_BUCKET_NAME", file.storage.bucket)]
    if file.shutdownGrace != PodGrace.standard { settings.append(("SHUTDOWN_GRACE", String(file.shutdownGrace))) }
    if let endpoint = file.storage.endpoint { settings.append(("R2_ENDPOINT", endpoint)) }
    return settings.map { (name: $0.0, value: $0.1) }
  }

  /// One field of the cluster file for the server and for nginx; 1 MiB more for the frame of a form.
  private var limits: String {
    let mebibytes =
      file.policy.maxUploadSize.bytes / (1 << 20) + (file.policy.maxUploadSize.bytes % (1 << 20) == 0 ? 1 : 2)
    return "client_max_body_size \(mebibytes)m;\n"
  }

  /// Keys of the ConfigMap beside nginx.conf. nginx reads them as files and not as a part of its configuration, where one
  /// parameter has at most 4,096 bytes and no line end is safe.
  private var staticFiles: [(name: String, path: String, text: String)] {
    file.ingress.staticFiles.enumerated().map { index, entry in
      (name: "static-\(index + 1).txt", path: entry.key, text: entry.value)
    }
  }

  private var staticLocations: String {
    staticFiles.map { name, path, _ in
      """
      location = \(path) {
          types {}
          default_type text/plain;
          charset utf-8;
          alias /etc/bashupload-nginx/\(name);
      }

      """
    }.joined()
  }
}
