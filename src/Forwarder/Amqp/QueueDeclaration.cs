using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>How is the queue of <c>--declare-queue</c> declared and bound? At each connect, before anything is published, and by <c>keyevt check</c>.</summary>
/// <remarks>
/// A queue that exists is used as it is, whatever its type and arguments, unless <c>--declare-queue-type</c> is set. Otherwise the broker would
/// refuse a declaration with other arguments, at every connect. So a classic queue of an earlier version goes on to work.
/// </remarks>
/// <param name="withGaps">Whether the queue also gets the messages about gaps.</param>
public sealed class QueueDeclaration(bool withGaps, ILogger logger)
{
    /// <summary>The last warning of <see cref="TellOnce"/>. Used only while connecting, by one attempt at a time.</summary>
    private (string Exchange, string Queue, string BindingKey) _told;

    /// <returns>What was done, in words; empty if no queue is configured.</returns>
    /// <exception cref="LinkException">The queue cannot be declared, or no binding could bring it the events. The text includes the remedy.</exception>
    public async Task<string> DeclareAsync(IConnection connection, ForwarderConfig config, CancellationToken deadline)
    {
        if (config.DeclareQueue is not { } queue) return "";

        if (RoutingKeyParts.IsTemplate(config.RoutingKey)) await CheckTypeAsync(connection, config, queue, deadline).ConfigureAwait(false);

        var isThere = config.DeclareQueueType is null && await IsThereAsync(connection, queue, deadline).ConfigureAwait(false);
        var type = config.DeclareQueueType ?? QueueTypes.DefaultFor(connection.ServerProperties);
        var done = isThere ? "is there and taken as it is" : type is { } asked ? $"is declared, of type {asked.Text()}" : "is declared";
        await using var channel = await connection.CreateChannelAsync(cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        try
        {
            if (!isThere)
            {
                Dictionary<string, object?>? arguments = type is { } given ? new() { ["x-queue-type"] = given.Text() } : null;
                await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            }

            if (config.Exchange.Length == 0) return done; // the default exchange leads to every queue by its name

            await channel.QueueBindAsync(queue, config.Exchange, QueueBinding.KeyFor(config.RoutingKey), cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            if (withGaps)
            {
                await channel.QueueBindAsync(queue, config.Exchange, MessageRoute.GapKey(config.RoutingKey), cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            }

            return $"{done}; it is bound";
        }
        catch (OperationInterruptedException e)
        {
            throw new LinkException(LinkFailureKind.Channel, $"queue '{queue}' could not be declared and bound: {e.ShutdownReason?.ReplyText}; {Remedy(e.ShutdownReason?.ReplyCode)}", e);
        }
    }

    /// <summary>Whether the queue exists. Also false if the user may not ask; the declaration then says which right is missing.</summary>
    private static async Task<bool> IsThereAsync(IConnection connection, string queue, CancellationToken deadline)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        try
        {
            await channel.QueueDeclarePassiveAsync(queue, deadline).WaitAsync(deadline).ConfigureAwait(false);
            return true;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode is Constants.NotFound or Constants.AccessRefused)
        {
            return false;
        }
    }

    private static string Remedy(ushort? code) => code switch
    {
        Constants.PreconditionFailed => "the queue is there, and is another one than --declare-queue-type asks for: start without that option to take the queue as it is, name another queue, or delete this one",
        Constants.AccessRefused => "grant the user configure and write on the queue and read on the exchange, or start without --declare-queue",
        Constants.ResourceLocked => "the queue belongs to another connection alone: name another queue",
        _ => "name another --declare-queue-type, or start without --declare-queue",
    };

    private async Task CheckTypeAsync(IConnection connection, ForwarderConfig config, string queue, CancellationToken deadline)
    {
        var type = QueueBinding.TypeByName(config.Exchange) ?? await AskTypeAsync(connection, config.Exchange, deadline).ConfigureAwait(false);
        if (type is null)
        {
            TellOnce(config.Exchange, queue, QueueBinding.KeyFor(config.RoutingKey));
        }
        else if (QueueBinding.Fault(config.Exchange, type, config.RoutingKey) is { } fault)
        {
            throw new LinkException(LinkFailureKind.Channel, fault);
        }
    }

    /// <summary>Warns once, and not again at each connect.</summary>
    private void TellOnce(string exchange, string queue, string bindingKey)
    {
        if (_told == (exchange, queue, bindingKey)) return;

        _told = (exchange, queue, bindingKey);
        AmqpLog.ExchangeTypeUnknown(logger, exchange, queue, bindingKey);
    }

    /// <summary>
    /// Asks for an exchange's type. AMQP has no command for it, so an exchange that exists is declared as a topic exchange, which changes nothing.
    /// That succeeds, or is refused with a text that names the first difference, and the type is compared first. Null: the user may not declare.
    /// </summary>
    private static async Task<string?> AskTypeAsync(IConnection connection, string exchange, CancellationToken deadline)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        try
        {
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true, cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            return ExchangeType.Topic;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason is { ReplyCode: Constants.PreconditionFailed, ReplyText: var text })
        {
            const string Before = "but current is '";
            if (!text.Contains("inequivalent arg 'type' for", StringComparison.Ordinal))
            {
                return ExchangeType.Topic; // the type is the same; something else differs
            }

            var at = text.LastIndexOf(Before, StringComparison.Ordinal);
            return at < 0 ? null : text[(at + Before.Length)..].TrimEnd('\'');
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            return null;
        }
    }
}
