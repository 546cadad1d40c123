namespace KeyEvt.Proxy.Options;

/// <summary>Under which heading of docs/options.md is an option listed? In the order of that page and of <c>--help</c>.</summary>
internal enum OptionGroup
{
    /// <summary>Where clients connect, and what they may do there.</summary>
    Clients,

    /// <summary>The Redis behind the proxy, and what KeyEvt does to it.</summary>
    Redis,

    /// <summary>The broker, and where on it events are published.</summary>
    RabbitMq,

    /// <summary>Which events are forwarded, and in which shape.</summary>
    Messages,

    /// <summary>What happens to events that RabbitMQ does not accept.</summary>
    Delivery,

    /// <summary>Certificates and keys towards clients, Redis and RabbitMQ.</summary>
    Tls,

    /// <summary>Limits of size, number and time.</summary>
    Limits,

    /// <summary>The program itself: its option file, its admin pages, its log.</summary>
    Program,
}
