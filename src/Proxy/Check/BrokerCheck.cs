using System.Net.Sockets;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Text;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Proxy.Check;

/// <summary>
/// Does RabbitMQ accept what the publisher sends? No message reaches a queue. The queue of --declare-queue is declared and bound by the same code as
/// in the program, so that both fail in the same way.
/// </summary>
internal static class BrokerCheck
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<CheckRow>> RunAsync(ForwarderConfig config, TlsClient tls, bool withGaps, TimeProvider time)
    {
        var rows = new List<CheckRow>();
        var connection = await ConnectAsync(config.Amqp, tls, time, rows);
        if (connection is null) return rows;
        try
        {
            await ExchangeAsync(connection, config, time, rows);
            await PublishAsync(connection, config, time, rows);
            await QueueAsync(connection, config, withGaps, time, rows);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException or RabbitMQClientException or IOException)
        {
            rows.Add(Explain(e, config.Amqp));
        }
        finally
        {
            connection.Dispose();
        }
        return rows;
    }

    private static async Task<IConnection?> ConnectAsync(AmqpSettings settings, TlsClient tls, TimeProvider time, List<CheckRow> rows)
    {
        var secure = new AmqpTls(tls, settings);
        var factory = new ConnectionFactory
        {
            HostName = settings.Host,
            Port = settings.Port,
            UserName = settings.User,
            Password = settings.Password.Value,
            VirtualHost = settings.VirtualHost,
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            Ssl = secure.Option,
            ClientProvidedName = "keyevt check",
            SocketFactory = _ => new HappyEyeballsTcpClient(settings.Host, HappyEyeballs.By(time)),
            // These are timers of the library, which run by the system's clock. They do not cover every wait; the token below does.
            RequestedConnectionTimeout = Deadline,
            HandshakeContinuationTimeout = Deadline,
            ContinuationTimeout = Deadline,
        };
        using var end = new CancellationTokenSource(Deadline, time);
        try
        {
            var connection = await factory.CreateConnectionAsync(end.Token).WaitAsync(end.Token);
            // The library does not wait until the broker accepts the vhost. A refusal shows at the first channel.
            await using var channel = await connection.CreateChannelAsync(cancellationToken: end.Token).WaitAsync(end.Token);
            var version = connection.ServerProperties?.TryGetValue("version", out var value) == true && value is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : "";
            if (settings.Tls)
            {
                rows.Add(new CheckRow(CheckOutcome.Works, TlsRow.Name, $"the certificate is trusted and for {settings.Host}"));
            }

            rows.Add(new CheckRow(CheckOutcome.Works, "connect, log in", $"RabbitMQ {version}, user {settings.User}, vhost {settings.VirtualHost}"));
            return connection;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException or RabbitMQClientException or IOException or SocketException)
        {
            rows.Add(secure.Explain(e) is { } fault ? new CheckRow(CheckOutcome.Fails, TlsRow.Name, fault) : Explain(e, settings));
            return null;
        }
    }

    /// <summary>The library wraps errors in other errors. The first one of a known type explains the failure.</summary>
    private static CheckRow Explain(Exception error, AmqpSettings settings)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return new CheckRow(CheckOutcome.Fails, "log in", $"user {settings.User} is refused", "check user and password in --amqp, or --amqp-password-file; guest may only come from localhost");
                case OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.NotAllowed or Constants.AccessRefused } reason }:
                    return new CheckRow(CheckOutcome.Fails, "vhost", reason.ReplyText, $"create the vhost {Printable.Quote(settings.VirtualHost)} and give user {settings.User} permissions on it");
                case SocketException socket:
                    return new CheckRow(CheckOutcome.Fails, "connect", socket.Message, "check --amqp, that RabbitMQ runs there, and what stands between");
                case OperationCanceledException or TimeoutException:
                    return new CheckRow(CheckOutcome.Fails, "connect", $"no answer within {Deadline.TotalSeconds} seconds", "check --amqp: is it RabbitMQ's AMQP port (5672), and does it run well?");
            }
        }
        return new CheckRow(CheckOutcome.Fails, "connect", error.Message, "check --amqp: is it RabbitMQ's AMQP port (5672)?");
    }

    private static async Task ExchangeAsync(IConnection connection, ForwarderConfig config, TimeProvider time, List<CheckRow> rows)
    {
        if (config.Exchange.Length == 0)
        {
            rows.Add(new CheckRow(CheckOutcome.Works, "exchange", "the one without a name is always there"));
            return;
        }
        using var end = new CancellationTokenSource(Deadline, time);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: end.Token).WaitAsync(end.Token);
        try
        {
            await channel.ExchangeDeclarePassiveAsync(config.Exchange, end.Token).WaitAsync(end.Token);
            rows.Add(new CheckRow(CheckOutcome.Works, "exchange", $"{Printable.Quote(config.Exchange)} is there"));
        }
        catch (OperationInterruptedException e)
        {
            rows.Add(e.ShutdownReason?.ReplyCode == Constants.NotFound
                ? new CheckRow(CheckOutcome.Fails, "exchange", $"{Printable.Quote(config.Exchange)} is not there", "declare it, or name another with --exchange")
                : new CheckRow(CheckOutcome.Warning, "exchange", $"cannot be asked for: {e.ShutdownReason?.ReplyText}"));
        }
    }

    /// <summary>
    /// Publishes a message with an expiration that is not a number. The broker checks the permission to write first, and then refuses the message
    /// (406). So it becomes known whether publishing is allowed, and no queue receives the message.
    /// </summary>
    private static async Task PublishAsync(IConnection connection, ForwarderConfig config, TimeProvider time, List<CheckRow> rows)
    {
        using var end = new CancellationTokenSource(Deadline, time);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: end.Token).WaitAsync(end.Token);
        var closed = new TaskCompletionSource<ShutdownEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult(reason);
            return Task.CompletedTask;
        };
        var refusedOnPurpose = new BasicProperties { Expiration = "keyevt check" };
        await channel.BasicPublishAsync(config.Exchange, config.RoutingKey, mandatory: false, refusedOnPurpose, ReadOnlyMemory<byte>.Empty, CancellationToken.None).AsTask().WaitAsync(end.Token);
        var answer = await closed.Task.WaitAsync(end.Token);
        rows.Add(answer.ReplyCode switch
        {
            Constants.PreconditionFailed => new CheckRow(CheckOutcome.Works, "publish", $"user {config.Amqp.User} may write to {Printable.Quote(config.Exchange)} (a message that RabbitMQ refuses by itself was tried)"),
            Constants.AccessRefused => new CheckRow(CheckOutcome.Fails, "publish", answer.ReplyText, $"give user {config.Amqp.User} the permission to write to {Printable.Quote(config.Exchange)}"),
            Constants.NotFound => new CheckRow(CheckOutcome.Note, "publish", "not tried without the exchange"),
            _ => new CheckRow(CheckOutcome.Fails, "publish", $"{answer.ReplyCode} {answer.ReplyText}", "look into RabbitMQ's log"),
        });
    }

    private static async Task QueueAsync(IConnection connection, ForwarderConfig config, bool withGaps, TimeProvider time, List<CheckRow> rows)
    {
        if (config.DeclareQueue is not { } queue)
        {
            rows.Add(new CheckRow(CheckOutcome.Note, "queue", $"whether one is bound to {Printable.Quote(config.Exchange)} with {Printable.Quote(config.RoutingKey)} cannot be seen from here; events without one are counted as unroutable"));
            return;
        }
        using var end = new CancellationTokenSource(Deadline, time);
        try
        {
            var done = await new QueueDeclaration(withGaps, NullLogger.Instance).DeclareAsync(connection, config, end.Token);
            rows.Add(new CheckRow(CheckOutcome.Works, "queue", $"{Printable.Quote(queue)} {done}"));
        }
        catch (LinkException e)
        {
            rows.Add(new CheckRow(CheckOutcome.Fails, "queue", e.Message));
        }
    }
}
