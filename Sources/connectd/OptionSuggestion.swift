/// What to write instead of an option of another program: nc, nmap, curl, ping and the plugins of Nagios have their own.
enum OptionSuggestion {
    private static let byOption: [String: String] = [
        "-p": "write the port in the target, as in host:443", "--port": "write the port in the target, as in host:443",
        "-H": "write the host in the target, as in host:443", "--host": "write the host in the target, as in host:443",
        "--hostname": "write the host in the target, as in host:443",
        "-u": "write the target as udp://host:port", "--udp": "write the target as udp://host:port",
        "-U": "write the target as unix:/path", "-z": "leave it out: a check sends nothing by itself",
        "-w": "use --timeout 5s (-t), or --warning with --nagios", "--deadline": "use --timeout",
        "--connect-timeout": "use --timeout", "--max-time": "use --timeout", "-m": "use --timeout",
        "-c": "use --critical with --nagios", "-W": "use --timeout",
        "-s": "use --send to send text, --source for the source address",
        "-e": "use --match for what the peer must send",
        "-E": "leave it out: --send always reads escapes such as \\r\\n", "-q": "use --send for the last text",
        "-S": "use --tls, or a target tls://host:port", "--ssl": "use --tls, or a target tls://host:port",
        "-D": "use --warning-days and --critical-days", "--expect-string": "use --match",
        "-b": "use --source", "--bind": "use --source", "--source-address": "use --source", "-I": "use --interface",
        "--iface": "use --interface", "--cacert": "use --ca", "--cafile": "use --ca", "--sni": "use --server-name",
        "--servername": "use --server-name", "--no-check-certificate": "use --no-verify", "--ipv4": "use -4",
        "--ipv6": "use -6", "--threads": "use --concurrency", "--jobs": "use --concurrency", "-j": "use --concurrency",
        "-P": "use --concurrency", "--retries": "use --retry-timeouts", "--retry": "use --retry-timeouts",
        "-f": "use --file", "--input": "use --file", "-o": "redirect the output with >", "-d": "use --verbose",
        "--debug": "use --verbose", "--until-down": "use --until down", "--strict": "leave it out: wait always does so",
    ]

    /// The message about an unknown option, with what to write instead where that is known.
    static func completed(_ message: String) -> String {
        let marker = "Error: Unknown option '"
        guard message.hasPrefix(marker) else { return message }
        let option = message.dropFirst(marker.count).prefix { $0 != "'" }
        guard let advice = byOption[String(option.prefix { $0 != "=" })] else { return message }
        let rest = message.drop { !$0.isNewline }
        return "\(marker)\(option)': \(advice)\(rest)"
    }
}
