using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>How does the queue of <c>--declare-queue</c> come to be, and to get the events? At each connect, before anything is published.</summary>
/// <param name="withGaps">Whether it is to get the messages about gaps too.</param>
internal sealed class QueueDeclaration(bool withGaps, ILogger logger)
{
    private (string Exchange, string Queue, string BindingKey) _told;

    /// <exception cref="LinkException">It cannot be declared, or its binding could not bring the events; with the remedy.</exception>
    public async Task DeclareAsync(IConnection connection, ForwarderConfig config, CancellationToken deadline)
    {
        if (config.DeclareQueue is not { } queue)
            return;

        if (RoutingKeyParts.IsTemplate(config.RoutingKey))
            await CheckTypeAsync(connection, config, queue, deadline).ConfigureAwait(false);

        await using var channel = await connection.CreateChannelAsync(cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        try
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            if (config.Exchange.Length == 0)
                return; // it leads to every queue by its name

            await channel.QueueBindAsync(queue, config.Exchange, QueueBinding.KeyFor(config.RoutingKey), cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
            if (withGaps)
                await channel.QueueBindAsync(queue, config.Exchange, MessageRoute.GapKey(config.RoutingKey), cancellationToken: deadline).WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationInterruptedException e)
        {
            throw new LinkException(LinkFailureKind.Channel, $"queue '{queue}' could not be declared and bound: {e.ShutdownReason?.ReplyText}; grant configure on it, or start without --declare-queue", e);
        }
    }

    private async Task CheckTypeAsync(IConnection connection, ForwarderConfig config, string queue, CancellationToken deadline)
    {
        var type = QueueBinding.TypeByName(config.Exchange) ?? await AskTypeAsync(connection, config.Exchange, deadline).ConfigureAwait(false);
        if (type is null)
            TellOnce(config.Exchange, queue, QueueBinding.KeyFor(config.RoutingKey));
        else if (QueueBinding.Fault(config.Exchange, type, config.RoutingKey) is { } fault)
            throw new LinkException(LinkFailureKind.Channel, fault);
    }

    /// <summary>Not again at each connect.</summary>
    private void TellOnce(string exchange, string queue, string bindingKey)
    {
        if (_told == (exchange, queue, bindingKey))
            return;

        _told = (exchange, queue, bindingKey);
        AmqpLog.ExchangeTypeUnknown(logger, exchange, queue, bindingKey);
    }

    /// <summary>
    /// AMQP has no question for it. Declaring an exchange that is there as of type topic changes nothing: it succeeds, or is refused with a text
    /// that names the first thing in which it differs, the type before all else. Null: the user may not declare.
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
                return ExchangeType.Topic; // it differs in something else only

            var at = text.LastIndexOf(Before, StringComparison.Ordinal);
            return at < 0 ? null : text[(at + Before.Length)..].TrimEnd('\'');
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            return null;
        }
    }
}
