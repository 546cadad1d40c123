using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>The tests of every transport, over the runtime's sockets.</summary>
public sealed class SocketTransportTests() : TransportTests(race => new SocketTransport(race: race));
