using System.Net.Sockets;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// How is a link to the broker opened? Connects, checks that the exchange exists, declares the queue if one is configured, and opens a channel with
/// publisher confirms. The library's automatic recovery is off. It would repeat declarations that were removed on purpose, and would not reopen
/// closed channels. <c>BrokerConnectionSupervisor</c> is what connects again.
/// </summary>
internal sealed class AmqpConnector(string clientName, TlsClient tls, QueueDeclaration queue, BackgroundTasks background, TimeProvider time, ILogger logger) : IBrokerConnector
{
    public async Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, ILinkEvents events, CancellationToken deadline)
    {
        var connection = await OpenConnectionAsync(config.Amqp, deadline).ConfigureAwait(false);
        var link = new AmqpLink(connection, connectionNumber, events, background, time, logger);
        try
        {
            await CheckExchangeAsync(connection, config, deadline).ConfigureAwait(false);
            await queue.DeclareAsync(connection, config, deadline).ConfigureAwait(false);
            await link.OpenChannelAsync(deadline).ConfigureAwait(false);
            return link;
        }
        catch (Exception e)
        {
            link.Abandon();
            if (e is LinkException || !BrokerErrorText.IsWeather(e)) throw;

            throw Failure(e, config, LinkFailureKind.Channel);
        }
    }

    private async Task<IConnection> OpenConnectionAsync(AmqpSettings settings, CancellationToken deadline)
    {
        var secure = new AmqpTls(tls, settings);
        var factory = new ConnectionFactory
        {
            HostName = settings.Host,
            Port = settings.Port,
            UserName = settings.User,
            Password = settings.Password.ForLogin(),
            VirtualHost = settings.VirtualHost,
            RequestedHeartbeat = ToRequest(settings.HeartbeatSeconds),
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            Ssl = secure.Option,
            ClientProvidedName = clientName,
            SocketFactory = _ => new HappyEyeballsTcpClient(settings.Host, HappyEyeballs.By(time)),
            // These are timers of the library, as its heartbeat is: they run by the system's clock and not by TimeProvider.
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            HandshakeContinuationTimeout = TimeSpan.FromSeconds(5),
            ContinuationTimeout = TimeSpan.FromSeconds(5),
        };
        var opening = factory.CreateConnectionAsync(deadline);
        try
        {
            // The library's own timeouts do not cover every wait: a broker may accept and then say nothing. This deadline does.
            return await opening.WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            background.GiveUp("closing a connection to the broker that came too late", AmqpLink.DisposeLateAsync(opening));
            if (!BrokerErrorText.IsWeather(e)) throw;

            if (e is OperationCanceledException) throw new LinkException(LinkFailureKind.Socket, $"{settings} did not answer in time", e);

            if (secure.Explain(e) is { } why) throw new LinkException(LinkFailureKind.Connection, $"{settings}: {why}", e);

            throw Failure(e, new ForwarderConfig { Amqp = settings }, LinkFailureKind.Connection);
        }
    }

    /// <summary>
    /// The heartbeat to ask for. The library looks for traffic once an interval, and gives up at the third look without any: 3 to 4 intervals after
    /// the last byte. A dead connection shall be noticed within 3 of the configured intervals, so three quarters of it are asked for. AMQP's minimum
    /// is 1 s.
    /// </summary>
    private static TimeSpan ToRequest(int heartbeatSeconds) => TimeSpan.FromSeconds(heartbeatSeconds == 0 ? 0 : Math.Max(1, heartbeatSeconds * 3 / 4));

    /// <summary>Finds a missing exchange before an event is sent. Otherwise the first publish would close the channel.</summary>
    private static async Task CheckExchangeAsync(IConnection connection, ForwarderConfig config, CancellationToken deadline)
    {
        if (config.Exchange.Length == 0) return; // the default exchange always exists, and a passive declare of it is not allowed

        await using var channel = await connection.CreateChannelAsync(cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        try
        {
            await channel.ExchangeDeclarePassiveAsync(config.Exchange, deadline).WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            throw new LinkException(LinkFailureKind.Channel, $"the broker has no exchange '{config.Exchange}'; declare it, or name another with --exchange or config_set", e);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            // A user who may only write need not have the right to ask. The first publish shows whether the exchange exists.
        }
    }

    /// <summary>Turns an error into the failure kind of the step that failed, with a remedy in the text. The text never holds a password.</summary>
    private static LinkException Failure(Exception error, ForwarderConfig config, LinkFailureKind otherwise)
    {
        var settings = config.Amqp;
        for (var e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    settings.Password.Refused();
                    return new LinkException(LinkFailureKind.Authentication, $"{settings} refused user '{settings.User}'; check user and password{settings.Password.Remark}", error);
                case OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.NotAllowed or Constants.AccessRefused } reason }:
                    return new LinkException(
                        otherwise == LinkFailureKind.Channel ? LinkFailureKind.Channel : LinkFailureKind.Authentication,
                        $"{settings} refused access: {reason.ReplyText}; check that virtual host '{settings.VirtualHost}' exists and user '{settings.User}' has permissions on it", error);
                case OperationInterruptedException { ShutdownReason: { } reason }:
                    return new LinkException(otherwise, $"{settings} closed with {reason.ReplyCode}: {reason.ReplyText}", error);
                case SocketException socket:
                    return new LinkException(LinkFailureKind.Socket, $"{settings} cannot be reached: {socket.Message}", error);
                case TimeoutException or OperationCanceledException:
                    return new LinkException(LinkFailureKind.Socket, $"{settings} did not answer in time", error);
            }
        }

        return new LinkException(otherwise, $"{settings} cannot be used: {error.Message}", error);
    }
}
