using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>The tests of every transport, over one event loop.</summary>
public sealed class EpollTransportTests() : TransportTests(new EpollTransport());

/// <summary>The same, over three.</summary>
public sealed class EpollTransportOfThreeLoopsTests() : TransportTests(new EpollTransport(3));
