@testable import ConnectAPI
import StrictJSON
import Testing

/// All problems of a check are reported at once, each with its pointer.
@Suite struct CheckDecoderProblemsTests {
    private func pointers(to members: String) throws -> [String] {
        try ConnectAPITests.pointers(#"{"target":"tcp://10.0.0.7:80",\#(members)}"#)
    }

    @Test func `all problems are reported at once`() throws {
        let found = try ConnectAPITests.pointers(
            #"""
            {"target":"tcp://127.1:80","timeout_ms":0,"resolve":{"family":"ipv5","server":"ns.example:53"},
             "bind":{"port":65536,"interface":"a/b"},"socket":{"close":"maybe","ttl":0,"dscp":64},
             "dialog":[{"send":"x"},{"expect_hex":"0"}],"expect":["refused","lost"],"colour":"red"}
            """#)
        #expect(
            Set(found) == [
                "/target", "/timeout_ms", "/resolve/family", "/resolve/server", "/bind/port", "/bind/interface",
                "/socket/close", "/socket/ttl", "/socket/dscp", "/dialog/1/expect_hex", "/expect/1", "/colour",
            ])
        #expect(found.count == 12)
    }

    @Test(arguments: ["null", "[]", #""tcp://h:80""#, "1", "true"])
    func `a document that is not an object is refused`(json: String) throws {
        #expect(try ConnectAPITests.pointers(json) == [""])
    }

    @Test(arguments: [
        ("{}", "/target"), (#"{"target":null}"#, "/target"), (#"{"target":1}"#, "/target"),
        (#"{"target":""}"#, "/target"),
        (#"{"target":"h"}"#, "/target"),
        (#"{"target":{"transport":"tcp","port":80}}"#, "/target/host"),
        (#"{"target":{"transport":"tcp","host":"h"}}"#, "/target/port"),
        (#"{"target":{"transport":"tcp","host":"h","port":0}}"#, "/target/port"),
        (#"{"target":{"transport":"tcp","host":"h","port":"no-such"}}"#, "/target/port"),
        (#"{"target":{"transport":"tcp","host":"999.1.1.1","port":80}}"#, "/target/host"),
        (#"{"target":{"transport":"sctp","host":"h","port":80}}"#, "/target/transport"),
        (#"{"target":{"host":"h","port":80}}"#, "/target/transport"),
        (#"{"target":{"transport":"unix"}}"#, "/target/path"),
        (#"{"target":{"transport":"unix","path":"/x","host":"h"}}"#, "/target/host"),
        (#"{"target":{"transport":"unix","path":"/x","socket_type":"raw"}}"#, "/target/socket_type"),
    ])
    func `an invalid target is refused`(json: String, pointer: String) throws {
        #expect(try ConnectAPITests.pointers(json) == [pointer])
    }

    @Test(arguments: [
        (#""id":1"#, "/id"), (#""id":null"#, "/id"), (#""labels":[]"#, "/labels"), (#""labels":{"a":1}"#, "/labels/a"),
        (#""labels":{"a/b~c":null}"#, "/labels/a~1b~0c"), (#""timeout_ms":60001"#, "/timeout_ms"),
        (#""timeout_ms":-1"#, "/timeout_ms"), (#""timeout_ms":1.5"#, "/timeout_ms"),
        (#""timeout_ms":"5000""#, "/timeout_ms"), (#""timeout_ms":5e-3"#, "/timeout_ms"),
        (#""timeout_ms":99999999999999999999"#, "/timeout_ms"), (#""resolve":[]"#, "/resolve"),
        (#""resolve":{"addresses":"First"}"#, "/resolve/addresses"),
        (#""resolve":{"server":"10.0.0.2"}"#, "/resolve/server"),
        (#""resolve":{"server":"10.0.0.2:domain"}"#, "/resolve/server"), (#""bind":{"address":"h"}"#, "/bind/address"),
        (#""bind":{"port":-1}"#, "/bind/port"), (#""bind":{"interface":""}"#, "/bind/interface"),
        (#""bind":{"interface":"sixteen-bytes-xx"}"#, "/bind/interface"), (#""socket":{"ttl":256}"#, "/socket/ttl"),
        (#""socket":{"mark":4294967296}"#, "/socket/mark"),
        (#""socket":{"tcp_syn_retries":0}"#, "/socket/tcp_syn_retries"),
        (#""socket":{"mptcp":"yes"}"#, "/socket/mptcp"), (#""socket":{"tcp_md5":{"key":"x"}}"#, "/socket/tcp_md5"),
        (#""dialog":[]"#, "/dialog"), (#""dialog":[{}]"#, "/dialog/0"), (#""dialog":["x"]"#, "/dialog/0"),
        (#""dialog":[{"send":"x","expect":"y"}]"#, "/dialog/0"), (#""dialog":[{"expect":"("}]"#, "/dialog/0/expect"),
        (#""dialog":[{"send":"${nobody}"}]"#, "/dialog/0/send"),
        (#""dialog":[{"send_hex":"xx"}]"#, "/dialog/0/send_hex"),
        (#""dialog":[{"expect_hex":""}]"#, "/dialog/0/expect_hex"), (#""expect":"""#, "/expect"),
        (#""expect":"!""#, "/expect"), (#""expect":"!!connected""#, "/expect"), (#""expect":[]"#, "/expect"),
        (#""expect":["!connected"]"#, "/expect/0"), (#""expect":{"outcome":"refused"}"#, "/expect"),
        (#""socket":{"tcp_fast_open":true}"#, "/socket/tcp_fast_open"),
        (#""socket":{"tcp_fast_open":true},"dialog":[{"expect":"x"}]"#, "/socket/tcp_fast_open"),
        (#""socket":{"tcp_fast_open":true},"dialog":[{"send":""}]"#, "/socket/tcp_fast_open"),
        (#""dialog":[{"reject":""},{"expect":"x"}]"#, "/dialog/0/reject"),
        (#""dialog":[{"reject":"("},{"expect":"x"}]"#, "/dialog/0/reject"),
        (#""dialog":[{"expect":"x"},{"reject":"^5"}]"#, "/dialog/1/reject"),
        (#""dialog":[{"reject":"^5"},{"send":"x"}]"#, "/dialog/0/reject"),
    ])
    func `an invalid member is refused`(member: String, pointer: String) throws {
        #expect(try pointers(to: member) == [pointer])
    }

    /// These are members of later versions, or of none. No member is silently ignored.
    @Test(arguments: [
        "trace", "Target", "target ", "", "timeout", "url", "Hold_ms", "halfopen", "counts", "interval",
    ])
    func `an unknown member is reported`(name: String) throws {
        #expect(try pointers(to: "\"\(name)\":1") == ["/" + name])
    }

    @Test(arguments: ["resolve", "bind", "socket"])
    func `an unknown nested member is reported`(object: String) throws {
        #expect(try pointers(to: #""\#(object)":{"extra":1}"#) == ["/\(object)/extra"])
    }

    @Test func `the configuration's timeout is the limit`() throws {
        let json = #"{"target":"tcp://10.0.0.7:80","timeout_ms":1001}"#
        #expect(try ConnectAPITests.pointers(json, maximumTimeoutMilliseconds: 1000) == ["/timeout_ms"])
        #expect(try ConnectAPITests.pointers(json, maximumTimeoutMilliseconds: 1001) == [])
    }
}
