namespace KeyEvt.Proxy.Metrics;

/// <summary>Sees each answer of the collector, so that failures can be logged. The library itself logs nothing.</summary>
internal sealed class OtlpFailureHandler(OtlpFailures failures) : DelegatingHandler(new SocketsHttpHandler())
{
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Look(request, base.Send(request, cancellationToken));
        }
        catch (Exception e) when (IsFailure(e))
        {
            failures.Failed(request.RequestUri, e.GetBaseException().Message);
            throw;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Look(request, await base.SendAsync(request, cancellationToken));
        }
        catch (Exception e) when (IsFailure(e))
        {
            failures.Failed(request.RequestUri, e.GetBaseException().Message);
            throw;
        }
    }

    private static bool IsFailure(Exception e) => e is HttpRequestException or OperationCanceledException or IOException;

    private HttpResponseMessage Look(HttpRequestMessage request, HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode) failures.Failed(request.RequestUri, $"it answers {(int)answer.StatusCode}");
        return answer;
    }
}
