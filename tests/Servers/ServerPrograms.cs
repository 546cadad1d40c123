// Which Redis and which RabbitMQ do the tests start?
namespace KeyEvt.Servers;

/// <summary>
/// The installed programs, or those of the folders that the variables REDIS_UNDER_TEST (redis-server, redis-cli, redis-check-rdb) and RABBITMQ_UNDER_TEST (rabbitmq-server, rabbitmqctl,
/// epmd) name. scripts/servers.sh makes such folders, also for Valkey, whose programs have the same names there.
/// </summary>
public static class ServerPrograms
{
    private static readonly string? Redis = Folder("REDIS_UNDER_TEST");
    private static readonly string? RabbitMq = Folder("RABBITMQ_UNDER_TEST");

    public static string RedisServer { get; } = In(Redis, "redis-server");

    public static string RedisCli { get; } = In(Redis, "redis-cli");

    public static string RedisCheckRdb { get; } = In(Redis, "redis-check-rdb");

    // Those under /usr/sbin change to the user rabbitmq.
    public static string RabbitMqServer { get; } = In(RabbitMq ?? "/usr/lib/rabbitmq/bin", "rabbitmq-server");

    public static string RabbitMqCtl { get; } = In(RabbitMq ?? "/usr/lib/rabbitmq/bin", "rabbitmqctl");

    public static string PortMapper { get; } = In(RabbitMq, "epmd");

    /// <summary>Absolute: servers are started in folders of their own.</summary>
    private static string? Folder(string variable)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named ? Path.GetFullPath(named) : null;

    private static string In(string? folder, string program)
    {
        if (folder is null) return program;
        var file = Path.Combine(folder, program);
        return File.Exists(file) ? file : throw new FileNotFoundException($"there is no {file}");
    }
}
