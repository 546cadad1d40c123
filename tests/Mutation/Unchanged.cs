// Which parts of the source are left alone?
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeyEvt.Mutation;

/// <summary>Places where no switch can stand, because the language wants a constant there, and places where a change means nothing.</summary>
internal static class Unchanged
{
    /// <summary>Whether nothing inside this node is changed.</summary>
    public static bool Is(SyntaxNode node, SemanticModel model) => node switch
    {
        AttributeListSyntax or EnumMemberDeclarationSyntax or CaseSwitchLabelSyntax or PatternSyntax or InterpolationAlignmentClauseSyntax => true,
        FieldDeclarationSyntax field => field.Modifiers.Any(SyntaxKind.ConstKeyword),
        LocalDeclarationStatementSyntax local => local.IsConst,
        ParameterSyntax => true,
        GotoStatementSyntax => true,
        LambdaExpressionSyntax lambda => model.GetTypeInfo(lambda).ConvertedType?.Name == "Expression",
        InvocationExpressionSyntax call => IsWithoutEffect(call, model),
        ArgumentSyntax argument => IsCapacity(argument, model),
        _ => false,
    };

    /// <summary>Lines of the log, <c>nameof</c>, <c>ConfigureAwait(false)</c> and assertions.</summary>
    private static bool IsWithoutEffect(InvocationExpressionSyntax call, SemanticModel model)
    {
        if (call.Expression is IdentifierNameSyntax { Identifier.Text: "nameof" }) return true;
        if (model.GetSymbolInfo(call).Symbol is not IMethodSymbol method) return false;
        return method.ContainingType.Name == "Debug" || method.GetAttributes().Any(attribute => attribute.AttributeClass?.Name is "LoggerMessageAttribute" or "LoggerMessage");
    }

    /// <summary>How much room a collection begins with, and on which context an await goes on: any value is right.</summary>
    private static bool IsCapacity(ArgumentSyntax argument, SemanticModel model)
    {
        if (argument.Parent is not BaseArgumentListSyntax { Parent: { } call } list) return false;
        if (model.GetSymbolInfo(call).Symbol is not IMethodSymbol method) return false;
        if (method.Name is "ConfigureAwait" or "EnsureCapacity") return true;
        var name = argument.NameColon?.Name.Identifier.Text
            ?? method.Parameters.ElementAtOrDefault(list.Arguments.IndexOf(argument))?.Name;
        return name is "capacity" or "initialCapacity" && method.ContainingNamespace?.ToString()?.StartsWith("System", StringComparison.Ordinal) == true;
    }
}
