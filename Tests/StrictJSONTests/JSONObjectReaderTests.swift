import StrictJSON
import Testing

private enum Family: String, CaseIterable { case any, ipv4, ipv6 }

private struct Request: Equatable {
    var target: String
    var timeoutMilliseconds: Int
    var family: Family
    var labels: [String]
    var alpn: [String]
    var ports: [Int]
}

private func decode(_ text: String) throws -> Request {
    try JSONObjectReader.decode(JSONValue.parse(Array(text.utf8))) { reader in
        reader.require("target")
        let target = reader.string("target", maximumLength: 20)
        let timeout = reader.integer("timeout_ms", in: 1...60000)
        let verify = reader.bool("verify") ?? true
        if !verify, timeout != nil { reader.report("timeout_ms", "needs verify") }
        let family = reader.object("resolve") { resolve in resolve.enumeration("family", Family.self) }
        let labels = reader.stringMap("labels", maximumMembers: 3, maximumLength: 5) ?? []
        let alpn = reader.array("alpn", count: 1...2) { $0.string() } ?? []
        let ports = reader.array("binds") { bind in bind.object { $0.integer("port", in: 0...65535) ?? 0 } } ?? []
        guard let target else { return nil }
        return Request(
            target: target, timeoutMilliseconds: timeout ?? 5000, family: family ?? .any,
            labels: labels.map { "\($0.key)=\($0.value)" }, alpn: alpn, ports: ports)
    }
}

private func problems(_ text: String) -> [String] {
    let problems = #expect(throws: JSONProblems.self) { try decode(text) }
    return problems?.problems.map { "\($0.pointer): \($0.detail)" } ?? []
}

struct JSONObjectReaderTests {
    @Test func decodesValidDocuments() throws {
        #expect(
            try decode(
                """
                {"target":"t","timeout_ms":60000,"resolve":{"family":"ipv6"},"labels":{"b":"1","a":"2"},
                 "alpn":["h2"],"binds":[{"port":1},{}]}
                """)
                == Request(
                    target: "t", timeoutMilliseconds: 60000, family: .ipv6, labels: ["b=1", "a=2"], alpn: ["h2"],
                    ports: [1, 0]))
        #expect(try decode(#"{"target":"t"}"#).timeoutMilliseconds == 5000)
        #expect(try decode(#"{"target":"t","timeout_ms":40.0}"#).timeoutMilliseconds == 40)
        #expect(try decode(#"{"target":"t","timeout_ms":4e1}"#).timeoutMilliseconds == 40)
    }

    @Test(arguments: [
        ("[]", ": must be an object, got an array"),
        ("{}", "/target: is required"),
        (#"{"target":null}"#, "/target: must be a string, got null; leave it out instead"),
        (#"{"target":1}"#, "/target: must be a string, got an integer"),
        (#"{"target":"123456789012345678901"}"#, "/target: must have at most 20 characters, got 21"),
        (#"{"target":"t","timeout_ms":0}"#, "/timeout_ms: must be from 1 to 60000, got 0"),
        (#"{"target":"t","timeout_ms":60001}"#, "/timeout_ms: must be from 1 to 60000, got 60001"),
        (#"{"target":"t","timeout_ms":"5000"}"#, "/timeout_ms: must be an integer from 1 to 60000, got a string"),
        (
            #"{"target":"t","timeout_ms":5000.5}"#,
            "/timeout_ms: must be an integer from 1 to 60000, got a number with a fraction or more than 64 bits"
        ),
        (#"{"target":"t","timeout_ms":6.1e4}"#, "/timeout_ms: must be from 1 to 60000, got 61000"),
        (#"{"target":"t","verify":"yes"}"#, "/verify: must be true or false, got a string"),
        (#"{"target":"t","verify":false,"timeout_ms":1}"#, "/timeout_ms: needs verify"),
        (#"{"target":"t","resolve":[]}"#, "/resolve: must be an object, got an array"),
        (#"{"target":"t","resolve":{"family":"IPv4"}}"#, "/resolve/family: must be one of: any, ipv4, ipv6"),
        (#"{"target":"t","resolve":{"famili":1}}"#, "/resolve/famili: unknown member; known here: family"),
        (#"{"target":"t","labels":{"a~/":1}}"#, "/labels/a~0~1: must be a string, got an integer"),
        (#"{"target":"t","labels":{"a":"123456"}}"#, "/labels/a: must have at most 5 characters, got 6"),
        (#"{"target":"t","labels":{"a":"","b":"","c":"","d":""}}"#, "/labels: must have at most 3 members, got 4"),
        (#"{"target":"t","alpn":[]}"#, "/alpn: must have from 1 to 2 elements, got 0"),
        (#"{"target":"t","alpn":["h2",true]}"#, "/alpn/1: must be a string, got a boolean"),
        (#"{"target":"t","binds":[{},{"port":65536}]}"#, "/binds/1/port: must be from 0 to 65535, got 65536"),
        (#"{"target":"t","binds":[{},{"x":1}]}"#, "/binds/1/x: unknown member; known here: port"),
    ])
    func reportsEachProblemWithItsPointer(text: String, expected: String) {
        #expect(problems(text) == [expected])
    }

    @Test func collectsAllProblems() {
        #expect(
            problems(#"{"timeout_ms":null,"x":1,"resolve":{"y":2,"family":3},"z/":1}"#) == [
                "/target: is required",
                "/timeout_ms: must be an integer from 1 to 60000, got null; leave it out instead",
                "/resolve/family: must be a string, got an integer",
                "/resolve/y: unknown member; known here: family",
                "/x: unknown member; known here: target, timeout_ms, verify, resolve, labels, alpn, binds",
                "/z~1: unknown member; known here: target, timeout_ms, verify, resolve, labels, alpn, binds",
            ])
    }

    @Test func keepsABoundedNumberOfProblemsAndCountsTheRest() throws {
        let members = (0..<100).map { "\"x\($0)\":0" } + ["\"target\":\"t\""]
        let text = "{" + members.joined(separator: ",") + "}"
        let found = #expect(throws: JSONProblems.self) { try decode(text) }
        #expect(found?.problems.count == JSONProblems.limit)
        #expect(found?.omittedCount == 100 - JSONProblems.limit)
    }

    @Test(arguments: [
        (String(repeating: "x", count: 128), String(repeating: "x", count: 128)),
        (String(repeating: "x", count: 60_000), String(repeating: "x", count: 128) + "…"),
        (String(repeating: "ä", count: 30_000), String(repeating: "ä", count: 64) + "…"),
        ("x" + String(repeating: "😀", count: 15_000), "x" + String(repeating: "😀", count: 31) + "…"),
    ])
    func showsOnlyTheBeginningOfALongName(name: String, shown: String) throws {
        let found = try #require(problems(#"{"target":"t","\#(name)":1}"#).first)
        #expect(found.hasPrefix("/\(shown): unknown member"))
        #expect(
            problems(#"{"target":"t","labels":{"\#(name)":1}}"#) == [
                "/labels/\(shown): must be a string, got an integer"
            ])
    }

    @Test func findsTheLastMemberOfALargeObject() {
        let members = (0..<100).map { "\"x\($0)\":0" } + ["\"only\":1"]
        let text = "{" + members.joined(separator: ",") + "}"
        let found = #expect(throws: JSONProblems.self) {
            try JSONObjectReader.decode(JSONValue.parse(Array(text.utf8))) { $0.integer("only", in: 1...1) }
        }
        #expect(found.map { $0.problems.count + $0.omittedCount } == 100)
    }

    @Test(arguments: [
        (#"{"a":0}"#, true), (#"{"a":0,"b":0}"#, true), (#"{"b":0,"a":0}"#, true), (#"{}"#, false),
        (#"{"b":0}"#, false), (#"{"a":0,"c":0}"#, false), (#"{"a":0,"b":0,"c":0}"#, false), (#"{"b":0,"c":0}"#, false),
    ])
    func knowsWhetherThereAreOtherMembers(text: String, hasOnly: Bool) throws {
        let found = try JSONObjectReader.decode(JSONValue.parse(Array(text.utf8))) { reader in
            for name: StaticString in ["a", "b", "c"] { _ = reader.value(name) }
            return reader.hasOnly("a", and: "b")
        }
        #expect(found == hasOnly)
    }

    @Test func readsAMemberWithSeveralTypes() throws {
        func read(_ text: String) throws -> String {
            try JSONObjectReader.decode(JSONValue.parse(Array(text.utf8))) { reader in
                reader.member("tls") { tls -> String? in
                    switch tls.value {
                    case .bool: return tls.bool().map { "\($0)" }
                    case .object: return tls.object { $0.string("server_name") }
                    case .null, .integer, .number, .string, .array:
                        tls.reportMismatch(expected: "true or an object")
                        return nil
                    }
                }
            }
        }
        #expect(try read(#"{"tls":true}"#) == "true")
        #expect(try read(#"{"tls":{"server_name":"n"}}"#) == "n")
        let found = #expect(throws: JSONProblems.self) { try read(#"{"tls":0}"#) }
        #expect(found?.problems == [JSONProblem(pointer: "/tls", detail: "must be true or an object, got an integer")])
    }

    @Test func rejectsWhatADecoderRefusesWithoutAProblem() {
        let found = #expect(throws: JSONProblems.self) {
            try JSONObjectReader.decode(.object(JSONObject(members: []))) { _ in Int?.none }
        }
        #expect(found?.problems == [JSONProblem(pointer: "", detail: "is invalid")])
    }
}
