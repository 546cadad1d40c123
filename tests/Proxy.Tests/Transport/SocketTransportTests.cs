using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>How connections end, over the runtime's sockets.</summary>
public sealed class SocketTransportEndTests() : TransportEndTests(race => new SocketTransport(race: race));

/// <summary>How connections come about, over the runtime's sockets.</summary>
public sealed class SocketTransportConnectTests() : TransportConnectTests(race => new SocketTransport(race: race));

/// <summary>How bytes flow, over the runtime's sockets.</summary>
public sealed class SocketTransportFlowTests() : TransportFlowTests(race => new SocketTransport(race: race));
