/// Firewalls that others have put on a node, asked of the kernel and not of the names of services: an image may bring rules
/// that no service owns. What our table accepts, a later chain still drops.
enum ForeignFirewall {
  /// A chain that drops or rejects what no earlier rule of it has taken.
  struct Chain: Hashable, Sendable {
    /// nft, iptables or ip6tables: whose words end it.
    var tool: String
    /// Such as `ip/filter/INPUT`.
    var place: String
    /// input or forward.
    var hook: String
    /// policy or rule.
    var verdict: String

    /// What it is, and what ends it.
    var note: String {
      let what = verdict == "policy" ? "drops by its policy" : "ends in drop or reject"
      let parts = place.split(separator: "/").map(String.init)
      let name = parts.last ?? ""
      let table = parts.dropLast().joined(separator: " ")
      let cure =
        tool == "nft" && !Self.isTool(parts)
        ? "nft delete table \(table)"
        : verdict == "policy"
          ? "\(Self.program(parts, tool)) -P \(name) ACCEPT"
          : "\(Self.program(parts, tool)) -S \(name) shows its rules, \(Self.program(parts, tool)) -F \(name) removes them"
      return
        "a firewall that is not ours \(what) in \(table) \(name) (hook \(hook)), and what the cluster needs does not get "
        + "through: end it, and keep it from coming back at the next start (ufw disable; systemctl disable --now firewalld; "
        + "netfilter-persistent, /etc/iptables/rules.v4; \(cure))"
    }

    /// A table that iptables has made in nftables.
    private static func isTool(_ parts: [String]) -> Bool {
      parts.count == 3 && ["ip", "ip6"].contains(parts[0]) && parts[1] == "filter" && parts[2] == parts[2].uppercased()
    }

    private static func program(_ parts: [String], _ tool: String) -> String {
      tool != "nft" ? tool : parts.first == "ip6" ? "ip6tables" : "iptables"
    }
  }

  /// Lines `chain TOOL PLACE HOOK VERDICT`. Read as text: a node has neither jq nor Python for certain. A base chain counts when
  /// its policy drops, or when it comes, without a condition, to drop or reject; jumps are followed, k3s' own are not.
  static let script = #"""
    foreign_nft='
      function clean(rule) {
        gsub(/counter packets [0-9]+ bytes [0-9]+/, "", rule); gsub(/^counter | counter /, " ", rule)
        gsub(/comment "[^"]*"/, "", rule); gsub(/log( prefix "[^"]*")?( level [a-z]+)?( flags [a-z ,]+)?/, "", rule)
        gsub(/^[ \t]+|[ \t]+$/, "", rule)
        return rule
      }
      function ends(name, depth,   n, i, rule, word) {
        if (depth > 16) return 0
        n = count[name]
        for (i = 1; i <= n; i++) {
          rule = rules[name, i]
          if (rule == "accept" || rule == "return") return 0
          if (rule == "drop" || rule ~ /^reject( with .*)?$/ || rule ~ /^xt target "?(DROP|REJECT)"?$/) return 1
          if (rule ~ /^(jump|goto) [^ ]+$/) {
            split(rule, word, " ")
            if (word[2] !~ /^(KUBE-|CNI-|FLANNEL)/ && ends(table "/" word[2], depth + 1)) return 1
            if (word[1] == "goto") return 0
          }
        }
        return 0
      }
      $1 == "table" { where = $2 "/" $3 }
      $1 == "chain" { chain = where "/" $2; names[++total] = chain; count[chain] = 0; owner[chain] = where; next }
      $1 == "type" && / hook (input|forward) / {
        hook[chain] = / hook input / ? "input" : "forward"
        if (/policy drop;/) policy[chain] = 1
        next
      }
      $1 == "}" { chain = ""; next }
      $1 == "type" || chain == "" { next }
      { rules[chain, ++count[chain]] = clean($0) }
      END {
        for (i = 1; i <= total; i++) {
          name = names[i]
          if (!(name in hook) || owner[name] == "inet/bashupload" || name !~ /^(ip|ip6|inet)\//) continue
          table = owner[name]
          if (name in policy) print "chain nft", name, hook[name], "policy"
          else if (ends(name, 0)) print "chain nft", name, hook[name], "rule"
        }
      }'
    foreign_tables='
      $1 == "-P" && ($2 == "INPUT" || $2 == "FORWARD") && $3 == "DROP" { print "chain", tool, family "/filter/" $2, tolower($2), "policy"; told[$2] = 1 }
      $1 == "-A" && ($2 == "INPUT" || $2 == "FORWARD") && $3 == "-j" && ($4 == "DROP" || $4 == "REJECT") && !told[$2] {
        print "chain", tool, family "/filter/" $2, tolower($2), "rule"; told[$2] = 1
      }'
    has_nft=no
    if command -v nft >/dev/null; then
      has_nft=yes
      nft list ruleset 2>/dev/null | awk "$foreign_nft"
    fi
    for tool in iptables ip6tables; do
      family=ip; if [ $tool = ip6tables ]; then family=ip6; fi
      program=$tool
      # Rules of the old kind are in no list of nft; asking would load its module, so only where it is in use.
      if grep -qs filter "/proc/net/${family}_tables_names"; then
        if command -v "$tool-legacy" >/dev/null; then program=$tool-legacy; fi
      elif [ $has_nft = yes ]; then
        continue
      fi
      if command -v "$program" >/dev/null; then
        "$program" -S 2>/dev/null | awk -v tool="$program" -v family=$family "$foreign_tables"
      fi
    done

    """#
}
