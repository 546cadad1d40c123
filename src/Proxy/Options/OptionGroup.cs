namespace KeyEvt.Proxy.Options;

/// <summary>Under which heading of docs/options.md does an option stand? In the order of that page and of <c>--help</c>.</summary>
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

    /// <summary>What happens to events that RabbitMQ does not take.</summary>
    Delivery,

    /// <summary>Certificates and keys of all three sides.</summary>
    Tls,

    /// <summary>How much, how many, how long.</summary>
    Limits,

    /// <summary>The program itself: its file of options, its admin pages, its log.</summary>
    Program,
}
