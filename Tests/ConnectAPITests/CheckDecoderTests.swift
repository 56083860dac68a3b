import CheckEngine
import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import Testing

/// Each member of a check, and its decoded value.
@Suite struct CheckDecoderTests {
    @Test func `a target without other members gets the defaults`() throws {
        let request = try decodedRequest()
        #expect(request.target.peer == .tcp(.address("10.0.0.7".address), port: 80))
        #expect(request.target.text == "tcp://10.0.0.7:80")
        #expect(request.id == nil)
        #expect(request.labels == nil)
        #expect(request.timeoutMilliseconds == 5000)
        #expect(request.resolve == ResolveOptions())
        #expect(request.bind == BindOptions())
        #expect(request.socket == SocketOptions())
        #expect(request.tls == nil)
        #expect(request.dialog.isEmpty)
        #expect(request.expectation == .transportSuccess)
    }

    @Test(arguments: [
        (#""tcp://db.internal:5432""#, Target.Peer.tcp(.name("db.internal"), port: 5432)),
        (#""db.internal:https""#, .tcp(.name("db.internal"), port: 443)),
        (#"{"transport":"tcp","host":"::1","port":443}"#, .tcp(.address("::1".address), port: 443)),
        (#"{"transport":"udp","host":"10.0.0.2","port":"domain"}"#, .udp(.address("10.0.0.2".address), port: 53)),
        (#"{"transport":"unix","path":"/run/x"}"#, .unix(.stream, .path(Array("/run/x".utf8)))),
        (
            #"{"transport":"unix","socket_type":"seqpacket","path":"/run/x"}"#,
            .unix(.seqpacket, .path(Array("/run/x".utf8)))
        ),
        (#""unix+dgram:/run/x""#, .unix(.dgram, .path(Array("/run/x".utf8)))),
        (#""unix:@name""#, .unix(.stream, .abstract(Array("name".utf8)))),
    ])
    func `a target has two forms`(json: String, peer: Target.Peer) throws {
        #expect(try decode(#"{"target":\#(json)}"#).get().request.target.peer == peer)
    }

    @Test func `id and labels are kept unchanged, labels in their order`() throws {
        let request = try decodedRequest(#""id":"x\u0000y","labels":{"b":"1","a":"","é":"2"}"#)
        #expect(request.id == "x\0y")
        #expect(
            request.labels == [
                Label(name: "b", value: "1"), Label(name: "a", value: ""), Label(name: "é", value: "2"),
            ])
        let empty = try decodedRequest(#""labels":{}"#)
        #expect(empty.labels == [])
    }

    @Test func `the default timeout does not exceed the configured limit`() throws {
        let json = #"{"target":"tcp://10.0.0.7:80"}"#
        #expect(try decode(json, maximumTimeoutMilliseconds: 1000).get().request.timeoutMilliseconds == 1000)
        #expect(try decode(json, maximumTimeoutMilliseconds: 60_000).get().request.timeoutMilliseconds == 5000)
    }

    @Test func `every member of resolve`() throws {
        let resolve = try decodedRequest(
            #""resolve":{"family":"ipv6","addresses":"race","server":"[2001:db8::2]:5353"}"#
        ).resolve
        #expect(resolve.family == .ipv6)
        #expect(resolve.addresses == .race)
        #expect(resolve.server == IPEndpoint(address: "2001:db8::2".address, port: 5353))
    }

    @Test func `every member of bind`() throws {
        let bind = try decodedRequest(#""bind":{"address":"10.0.0.9","port":65535,"interface":"eth1"}"#).bind
        #expect(bind.address == "10.0.0.9".address)
        #expect(bind.port == 65535)
        #expect(bind.interface == "eth1")
    }

    @Test func `every member of socket`() throws {
        let members =
            #""close":"rst","ttl":64,"dscp":46,"mark":4294967295,"tcp_md5":"bgp","tcp_syn_retries":1,"mptcp":true"#
        let socket = try decodedRequest(#""socket":{\#(members)}"#).socket
        #expect(socket.close == .rst)
        #expect(socket.ttl == 64)
        #expect(socket.dscp == 46)
        #expect(socket.mark == 4_294_967_295)
        #expect(socket.tcpMD5 == "bgp")
        #expect(socket.tcpSynRetries == 1)
        #expect(socket.mptcp)
        #expect(!socket.tcpFastOpen)
    }

    @Test func `a dialog's steps, and its patterns compiled`() throws {
        let steps =
            #"{"reject":"^5"},{"expect":"^220 "},{"send":"EHLO me\r\n"},{"expect_hex":"0aFF"},{"send_hex":""},{"starttls":true}"#
        let decoded = try decode(#"{"target":"tcp://10.0.0.7:25","dialog":[\#(steps)]}"#).get()
        #expect(
            decoded.request.dialog == [
                .reject(pattern: "^5"), .expect(pattern: "^220 "), .send(text: "EHLO me\r\n"),
                .expectBytes([0x0A, 0xFF]), .sendBytes([]), .startTLS,
            ])
        #expect(decoded.dialog != nil)
        #expect(try decode(#"{"target":"tcp://10.0.0.7:25"}"#).get().dialog == nil)
    }

    @Test(arguments: [
        (#""refused""#, CheckModel.Expectation.oneOf([.failed(.refused)])),
        (#""!connected""#, .not(.connected)),
        (#"["associated","answered"]"#, .oneOf([.associated, .answered])),
    ])
    func `expect is an outcome, any but one, or a list`(json: String, expectation: CheckModel.Expectation) throws {
        #expect(try decodedRequest(#""expect":\#(json)"#).expectation == expectation)
    }

    @Test func `fast open with first bytes`() throws {
        let request = try decodedRequest(#""socket":{"tcp_fast_open":true},"dialog":[{"send":"x"}]"#)
        #expect(request.socket.tcpFastOpen)
    }
}
