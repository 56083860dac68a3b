@testable import Blackbox
import CheckEngine
import CheckModel
import Configuration
import Dialog
import ErrorCatalogue
import Testing

@Suite struct BlackboxTextTests {
    @Test func `a log has one line for each event`() throws {
        let error = Classifier.report(for: OwnError.nxdomain)
        let failed = result(attempt("127.0.0.1", error: error, in: .resolve))
        let report = BlackboxReport(probe: try probe("a\nb \"c\":80"), result: failed)
        let lines = BlackboxLog(report: report).text().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[0] == #"""
                ts=2026-01-01T00:00:00.123Z level=info msg="Beginning probe" module=m target="a\nb \"c\":80" probe=tcp timeout_seconds=2.0
                """#)
        #expect(lines[2].contains("level=error msg=\"Probe failed\""))
        #expect(lines[2].contains("errno=NXDOMAIN") && lines[2].hasSuffix("duration_seconds=0.006"))
    }

    @Test func `modules are printed without secrets, and parse again`() throws {
        var module = ProbeModule(name: "a:b", prober: .tcp)
        module.timeoutText = "5s"
        module.sourceAddress = "127.0.0.9".address
        module.usesTLS = true
        module.tls.hasInlineKey = true
        module.tls.serverName = "true"
        module.tls.minimumVersion = .tls12
        module.tls.files = [("ca_file", "ca.pem")]
        var entry = QueryResponse()
        entry.expect = "^220 (\\S+)\t$"
        entry.labels = [Label(name: "host", value: "${1}"), Label(name: "on", value: "x")]
        entry.send = Array("QUIT".utf8)
        module.queryResponse = [entry, QueryResponse()]
        #expect(
            ModuleText.document([module]) == #"""
                modules:
                  "a:b":
                    prober: tcp
                    timeout: "5s"
                    tcp:
                      preferred_ip_protocol: ip6
                      ip_protocol_fallback: true
                      source_ip_address: "127.0.0.9"
                      query_response:
                        - expect: "^220 (\\S+)\t$"
                          labels: [{name: host, value: "${1}"}, {name: "on", value: x}]
                          send: <secret>
                        - {}
                      tls: true
                      tls_config:
                        server_name: "true"
                        min_version: TLS12
                        ca_file: ca.pem
                        key: <secret>

                """#)
        #expect(ModuleText.document([]) == "modules: {}\n")
    }

    @Test func `no text contains data that a module sends`() throws {
        var entry = QueryResponse()
        entry.expect = "ready"
        entry.send = Array("AUTH hunter2".utf8)
        let steps: [DialogStep] = [
            .expectLine(pattern: "ready", labels: []), .sendExpanded(template: Array("AUTH hunter2\n".utf8)),
        ]
        let dialog = try Dialog(steps: steps)
        let probe = try probe("127.0.0.1:80") { module, _ in
            module.queryResponse = [entry]
            module.dialog = (steps, dialog)
        }
        // A peer that echoes what it receives: first all of it, then more than the log shows.
        for padding in [0, 150, 195] {
            let received = Array((String(repeating: "x", count: padding) + "bad: AUTH hunter2\n").utf8)
            let step = DialogStepReport(
                kind: .expect, ok: false, durationNanoseconds: 0, bytes: received.count, received: received)
            let report = BlackboxReport(
                probe: probe, result: result(attempt("127.0.0.1"), dialog: DialogReport(steps: [step])))
            let text = String(decoding: BlackboxDebug.text(report), as: UTF8.self)
            #expect(!text.contains("AUTH") && !text.contains("hunter"))
            #expect(text.contains("send: <secret>"))
        }
        #expect(!ModuleText.document([probe.module]).contains("hunter2"))
    }

    private func report(_ target: String, isSuccess: Bool) throws -> BlackboxReport {
        let error = Classifier.report(for: OwnError.deadline)
        return BlackboxReport(
            probe: try probe(target), result: result(attempt("127.0.0.1", error: isSuccess ? nil : error)))
    }

    @Test func `the latest probes are kept, and earlier failures`() throws {
        let history = BlackboxHistory()
        history.add(try report("failed:1", isSuccess: false))
        history.add(try report("good:1", isSuccess: true))
        for _ in 0..<BlackboxHistory.limit { history.add(try report("other:1", isSuccess: true)) }
        #expect(history.all.count == BlackboxHistory.limit + 1)
        #expect(history.text(id: 0) != nil && history.text(id: 1) == nil && history.text(id: 2) != nil)
        #expect(history.text(target: "failed:1", module: nil) != nil)
        #expect(history.text(target: "failed:1", module: "m") != nil)
        #expect(history.text(target: "failed:1", module: "n") == nil)
        #expect(history.text(target: "good:1", module: nil) == nil)
        for _ in 0..<300 { history.add(try report("bad:1", isSuccess: false)) }
        #expect(history.all.count == 2 * BlackboxHistory.limit)
    }

    @Test func `the index page escapes client input`() throws {
        let history = BlackboxHistory()
        history.add(try report("<b>&\"'\u{202E}\n", isSuccess: false))
        history.add(try report("a.example:1", isSuccess: true))
        let page = BlackboxIndex.text(of: history.all)
        #expect(page.contains("<td>&lt;b&gt;&amp;&quot;&#39;U+202EU+000A</td>"))
        #expect(page.contains(#"<td>a.example:1</td><td>Success</td><td><a href="logs?id=1">Logs</a></td>"#))
        #expect(!page.contains("<b>") && !page.contains("\u{202E}"))
    }

    @Test func `long data from a peer is truncated`() throws {
        let received = [UInt8](repeating: 0x61, count: 1024)
        let step = DialogStepReport(
            kind: .expect, ok: true, durationNanoseconds: 0, bytes: 1024, received: received)
        let dialog = DialogReport(steps: Array(repeating: step, count: 64))
        let history = BlackboxHistory()
        history.add(
            BlackboxReport(probe: try probe("a:1"), result: result(attempt("127.0.0.1"), dialog: dialog)))
        let text = try #require(history.text(id: 0))
        #expect(text.count <= 65536)
    }
}
