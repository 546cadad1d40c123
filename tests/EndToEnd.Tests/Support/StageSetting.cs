namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>What is special about the servers of one test? Each default is the plain case.</summary>
internal sealed record StageSetting
{
    /// <summary>Lines of redis.conf.</summary>
    public string[] Redis { get; init; } = [];

    /// <summary>Null leaves --events away.</summary>
    public string? Events { get; init; } = "A";

    public string[] Masks { get; init; } = ["ALL"];

    /// <summary>Further options of the program.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>Variables of the program.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Whether a queue is bound, and consumed, before the program starts.</summary>
    public bool Queue { get; init; } = true;

    public string Exchange { get; init; } = "amq.direct";

    /// <summary>{q} stands for the queue's name, so that tests on one broker do not meet. Null: just that.</summary>
    public string? RoutingKey { get; init; }

    /// <summary>With which key the queue is bound, {q} as above; null: with the routing key.</summary>
    public string? Binding { get; init; }

    /// <summary>Where the program finds the broker, when that is not its own port: a relay, or a port where nothing is.</summary>
    public int? AmqpPort { get; init; }

    public string VirtualHost { get; init; } = "/";

    /// <summary>The whole URL, when it is another user, another host, or another kind of broker.</summary>
    public string? AmqpUrl { get; init; }

    /// <summary>For tests on what happens before it is ready, or where it never is.</summary>
    public bool WaitReady { get; init; } = true;

    /// <summary>What the program is started through, see <see cref="KeyEvt.Servers.KeyEvtProcess.StartAsync"/>.</summary>
    public string[]? Through { get; init; }

    /// <summary>What AUTH needs for one who may CONFIG; also how the program itself logs in.</summary>
    public string[]? Login { get; init; }

    /// <summary>What happens to the Redis before the program starts.</summary>
    public Func<KeyEvt.Servers.RedisServer, Task> Before { get; init; } = _ => Task.CompletedTask;
}
