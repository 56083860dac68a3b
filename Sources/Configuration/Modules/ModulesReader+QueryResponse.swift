internal import CheckModel
internal import Dialog

// `query_response`.
extension ModulesReader {
    private static let entryKeys = ["expect", "expect_bytes", "labels", "send", "starttls"]

    mutating func queryResponse(_ node: YAMLNode, path: String) -> [QueryResponse] {
        var entries: [QueryResponse] = []
        for (item, path) in items(of: node, path: path) { entries.append(entry(item, path: path)) }
        return entries
    }

    /// Compiles `query_response`, so that invalid patterns are reported at loading.
    mutating func compile(_ module: inout ProbeModule, at node: YAMLNode, path: String) {
        var steps = module.queryResponse.flatMap(\.steps)
        guard !steps.isEmpty else { return }
        let first = steps.firstIndex(of: .startTLS)
        for index in steps.indices where steps[index] == .startTLS && (module.usesTLS || index != first) {
            steps[index] = .startTLSAgain
        }
        if steps.contains(.startTLSAgain) {
            warn(
                "\(module.usesTLS ? "tls is true, and query_response has a starttls step" : "query_response has two starttls steps"): "
                    + "TLS cannot begin twice, and a probe fails at that step; remove one of them",
                at: node.position, path: path)
        }
        do throws(DialogProblem) {
            module.dialog = (steps, try Dialog(moduleSteps: steps))
        } catch {
            report(error, in: module, at: node, path: "\(path).query_response")
        }
    }

    private mutating func report(_ problem: DialogProblem, in module: ProbeModule, at node: YAMLNode, path: String) {
        var position = node.position
        var entryPath = path
        var steps = 0
        guard let list = node.value(of: "query_response"), case .sequence(let all) = list.content else { return }
        let items = all.filter { !$0.isEmpty }
        for (index, entry) in module.queryResponse.enumerated() {
            steps += entry.steps.count
            guard problem.step < steps, items.indices.contains(index) else { continue }
            position = items[index].position
            entryPath = "\(path)[\(index)]"
            break
        }
        let member =
            problem.member == "expect_hex" ? "expect_bytes" : problem.member == "send_hex" ? "send" : problem.member
        document.report("\(member) \(problem.detail)", at: position, path: entryPath)
    }

    private mutating func entry(_ node: YAMLNode, path: String) -> QueryResponse {
        var result = QueryResponse()
        for (entry, path) in keys(of: node, below: path, known: Self.entryKeys) where !entry.value.isEmpty {
            switch entry.key.text {
            case "expect": result.expect = text(entry.value, path: path)
            case "expect_bytes": result.expectBytes = bytes(entry.value, path: path) ?? []
            case "labels": result.labels = labels(entry.value, path: path)
            case "send": result.send = bytes(entry.value, path: path) ?? []
            case _: result.startsTLS = boolean(entry.value, path: path) ?? false
            }
        }
        return result
    }

    private mutating func labels(_ node: YAMLNode, path: String) -> [Label] {
        var labels: [Label] = []
        for (item, path) in items(of: node, path: path) {
            var name: String?
            var value = ""
            for (entry, path) in keys(of: item, below: path, known: ["name", "value"]) where !entry.value.isEmpty {
                if entry.key.text == "name" {
                    name = parsed(entry.value, path: path, Self.labelName)
                } else {
                    value = text(entry.value, path: path) ?? ""
                }
            }
            guard let name else {
                if !item.hasKey("name") {
                    document.report("is missing the key \"name\"", at: item.position, path: path)
                }
                continue
            }
            if labels.contains(where: { $0.name == name }) {
                document.report("has a duplicate name", at: item.position, path: path)
            }
            labels.append(Label(name: name, value: value))
        }
        return labels
    }

    /// Prometheus' rule for the names of labels.
    private static func labelName(_ text: String) throws(ValueRefusal) -> String {
        let bytes = text.utf8
        let isWord = bytes.allSatisfy { byte in
            (byte | 0x20) &- UInt8(ascii: "a") <= 25 || byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: "_")
        }
        guard isWord, let first = bytes.first, first &- UInt8(ascii: "0") > 9, !text.hasPrefix("__") else {
            throw ValueRefusal(
                "is not a label name: use letters, digits and \"_\", and do not start with a digit or \"__\"")
        }
        return text
    }
}

extension YAMLNode {
    fileprivate func value(of name: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key.text == name }?.value
    }

    fileprivate func hasKey(_ name: String) -> Bool {
        guard case .mapping(let entries) = content else { return true }
        return entries.contains { $0.key.text == name }
    }
}
