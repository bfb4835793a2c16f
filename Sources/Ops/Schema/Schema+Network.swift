extension Schema {
  static let certificates = SchemaKey(
    "certificates",
    .section([
      SchemaKey(
        "issuer",
        .wordOr(
          .word("letsencrypt", "letsencrypt-staging"),
          [
            SchemaKey("server", .scalar(.url("https")), .optional(nil), "The directory URL of another ACME service."),
            SchemaKey(
              "secret", .scalar(.secretName), .optional(nil),
              "Bring your own: a Secret of type kubernetes.io/tls in the namespace bashupload, renewed by you."),
          ]), .optional("letsencrypt"),
        "Who signs. Begin with letsencrypt-staging, whose limits are generous and whose certificates nobody trusts."),
      SchemaKey(
        "email", .scalar(.email), .optional(nil), sample: "ops@example.org",
        "The account's address at the issuer. Needed unless issuer is a Secret of yours."),
      SchemaKey(
        "profile", .scalar(.word("classic", "tlsserver", "shortlived")), .optional("tlsserver"),
        "How long Let's Encrypt certificates live: classic 90 days, tlsserver 45 days, shortlived 160 hours."),
      SchemaKey(
        "dns01",
        .alternatives([
          SchemaKey(
            "cloudflare",
            .section([
              SchemaKey(
                "apiToken", .secret, .required,
                "A token with Zone:Read and DNS:Edit on the one zone; another one than dns.provider's.")
            ]), .optional(nil), "TXT records at Cloudflare.")
        ]), .optional(nil), sample: "{ cloudflare: { apiToken: { fromEnv: CLOUDFLARE_CERT_TOKEN } } }",
        "How the domain is proven. A wildcard needs DNS. Needed unless issuer is a Secret of yours."),
    ]), .required, "The certificate for domain and *.domain, renewed by cert-manager and reloaded without a restart.")

  static let network = SchemaKey(
    "dns",
    .section([
      SchemaKey(
        "provider",
        .alternatives([
          SchemaKey(
            "cloudflare",
            .section([
              SchemaKey("apiToken", .secret, .required, "A token with Zone:Read and DNS:Edit on the one zone.")
            ]), .optional(nil), "Cloudflare, API v4. Records are never proxied: that caps uploads at 100 MB."),
          SchemaKey(
            "rfc2136", .section(rfc2136), .optional(nil), "Your own name server, by dynamic update (RFC 2136)."),
        ]), .required, sample: "{ cloudflare: { apiToken: { fromEnv: CLOUDFLARE_DNS_TOKEN } } }",
        "Who serves the zone."),
      SchemaKey(
        "mode", .scalar(.word("roundRobin", "regional")), .optional("roundRobin"),
        "roundRobin: one name with the addresses of all healthy edges. regional: also a name per region."),
      SchemaKey(
        "ttl", .scalar(.duration(60...86_400)), .optional("60s"),
        "How long resolvers keep an answer, and so how long a dead node is still asked. 60s is Cloudflare's least."),
      SchemaKey(
        "minRecords", .scalar(.integer(1...1_000)), .optional("1"),
        "Never fewer records than this, whatever the checks say: a wrong check must not empty the zone."),
      SchemaKey(
        "cleanupForeign", .scalar(.word("report")), .optional("report"),
        "Records on the name that are not ours are reported and never touched."),
    ]), .optional(nil), "Records of healthy edges only. Without it you keep the records yourself.")

  private static let rfc2136: [SchemaKey] = [
    SchemaKey("server", .scalar(.host), .required, "The primary name server."),
    SchemaKey("zone", .scalar(.domain), .required, "The zone that is updated."),
    SchemaKey("keyName", .scalar(.text), .required, "The name of the TSIG key."),
    SchemaKey(
      "keyAlgorithm", .scalar(.word("hmac-sha256", "hmac-sha384", "hmac-sha512")), .optional("hmac-sha256"),
      "The algorithm of the TSIG key."),
    SchemaKey("secret", .secret, .required, "The TSIG key, in Base64 as in the name server's file."),
  ]
}
