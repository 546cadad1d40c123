using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>The tests of every transport, over one event loop.</summary>
public sealed class EpollTransportTests() : TransportTests(race => new EpollTransport(race: race));

/// <summary>The same, over three.</summary>
public sealed class EpollTransportOfThreeLoopsTests() : TransportTests(race => new EpollTransport(3, race: race));
