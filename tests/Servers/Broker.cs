// How does a test or demo look at a RabbitMQ, private or not?
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Servers;

/// <summary>A RabbitMQ by its URL (user, password, host, port, virtual host), for declaring, looking and consuming.</summary>
public sealed class Broker(string url)
{
    public string Url { get; } = url;

    /// <summary>The same broker, with another user or virtual host.</summary>
    public Broker As(string? user = null, string? password = null, string? virtualHost = null)
    {
        var uri = new Uri(Url);
        var login = uri.UserInfo.Split(':', 2);
        return new Broker($"{uri.Scheme}://{user ?? login[0]}:{password ?? login[^1]}@{uri.Authority.Split('@')[^1]}"
            + (virtualHost is null ? uri.AbsolutePath : "/" + Uri.EscapeDataString(virtualHost)));
    }

    /// <summary>A connection of the official client, without recovery.</summary>
    public Task<IConnection> ConnectAsync()
        => new ConnectionFactory
        {
            Uri = new Uri(Url),
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            ClientProvidedName = "keyevt-observer",
        }.CreateConnectionAsync();

    /// <summary>Declares a durable queue and binds it; declares the exchange (direct, durable) too unless it is one of the broker's own.</summary>
    public Task DeclareAsync(string queue, string exchange, string routingKey, IDictionary<string, object?>? arguments = null)
        => UseAsync(async channel =>
        {
            if (exchange.Length > 0 && !exchange.StartsWith("amq.", StringComparison.Ordinal))
            {
                await channel.ExchangeDeclareAsync(exchange, ExchangeType.Direct, durable: true).ConfigureAwait(false);
            }

            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments).ConfigureAwait(false);
            if (exchange.Length > 0) await channel.QueueBindAsync(queue, exchange, routingKey).ConfigureAwait(false);
            return true;
        });

    /// <summary>Takes a binding away.</summary>
    public Task UnbindAsync(string queue, string exchange, string routingKey)
        => UseAsync(async channel =>
        {
            await channel.QueueUnbindAsync(queue, exchange, routingKey).ConfigureAwait(false);
            return true;
        });

    /// <summary>Messages ready in a queue, or null when there is no such queue.</summary>
    public Task<uint?> CountAsync(string queue)
        => UseAsync<uint?>(async channel =>
        {
            try
            {
                return (await channel.QueueDeclarePassiveAsync(queue).ConfigureAwait(false)).MessageCount;
            }
            catch (OperationInterruptedException)
            {
                return null;
            }
        });

    /// <summary>One short conversation on a channel of its own.</summary>
    public async Task<T> UseAsync<T>(Func<IChannel, Task<T>> use)
    {
        await using var connection = await ConnectAsync().ConfigureAwait(false);
        await using var channel = await connection.CreateChannelAsync().ConfigureAwait(false);
        return await use(channel).ConfigureAwait(false);
    }
}
