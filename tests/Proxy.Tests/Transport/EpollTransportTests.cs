using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>How connections end, over one event loop.</summary>
public sealed class EpollTransportEndTests() : TransportEndTests(race => new EpollTransport(race: race));

/// <summary>How connections end, over three event loops.</summary>
public sealed class EpollTransportOfThreeLoopsEndTests() : TransportEndTests(race => new EpollTransport(3, race: race));

/// <summary>How connections come about, over one event loop.</summary>
public sealed class EpollTransportConnectTests() : TransportConnectTests(race => new EpollTransport(race: race));

/// <summary>How connections come about, over three event loops.</summary>
public sealed class EpollTransportOfThreeLoopsConnectTests() : TransportConnectTests(race => new EpollTransport(3, race: race));

/// <summary>How bytes flow, over one event loop.</summary>
public sealed class EpollTransportFlowTests() : TransportFlowTests(race => new EpollTransport(race: race));

/// <summary>How bytes flow, over three event loops.</summary>
public sealed class EpollTransportOfThreeLoopsFlowTests() : TransportFlowTests(race => new EpollTransport(3, race: race));
